"""The commands of ``apidouble``, one module each. They print; everything they do is reachable from Python as well."""
