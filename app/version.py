"""The release. pyproject.toml reads it from here, so that a checkout and a wheel cannot differ."""

VERSION = "0.2.0"
