"""The commands that ``contracts`` adds to ``apidouble``; what they do is reachable from Python too."""
