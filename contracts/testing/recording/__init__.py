"""Recording the real service in the place of a double, and what has drifted from the recordings since."""
