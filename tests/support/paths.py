"""Places outside ``tests``."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
"""Data and cases that lie beside a checkout; tests that need them skip where they are absent."""
