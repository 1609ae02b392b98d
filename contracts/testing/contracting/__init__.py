"""Contract checks in a test suite: as items, as a state machine, and as strategies."""
