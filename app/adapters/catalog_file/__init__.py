"""Catalog files: TOML with the fields, entities and features of a deployment, read with the line of every key.

The catalogs that come with the program are in ``app/adapters/catalogs``. Imports ``app.catalog``. Start with ``reader``.
"""
