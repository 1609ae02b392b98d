"""The checks, one module each; ``registry`` knows them all."""
