"""Both versions are computed alike."""

from pathlib import Path

from mock_server.packs import run_computations

run_computations(Path(__file__).parent.parent / "kirimdev" / "compute.py")
