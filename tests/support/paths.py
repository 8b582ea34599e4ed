"""Directories outside ``tests``."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
"""Data and cases beside a checkout; tests that need them are skipped where they are absent."""
