"""Stored policies, ``models/policies/NAME/VERSION/``: the file, a manifest with its digest, optionally a signature."""
