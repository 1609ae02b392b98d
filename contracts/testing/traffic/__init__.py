"""What was asked of a double: a typed journal, assertions on it, and what fails a test by itself."""
