"""What a double keeps, for tests to read and write."""
