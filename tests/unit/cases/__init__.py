"""The decoding of the role cases, and its settings."""
