"""``python -m mock_server`` is the command ``apidouble``."""

from mock_server.cli import main

if __name__ == "__main__":
    main()
