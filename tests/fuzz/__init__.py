"""Coverage-guided fuzzing: a module for each target with ``one_input``, which must not raise whatever it is given."""
