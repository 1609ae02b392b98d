"""The commands of ``apidouble``, one module each; what they do is reachable from Python too."""
