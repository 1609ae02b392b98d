"""The version of apidouble, for modules below the package itself."""

__version__ = "0.1.0"
