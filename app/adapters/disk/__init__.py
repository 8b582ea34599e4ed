"""A worker's data directory: one owner at a time, and corrupt databases moved to quarantine."""
