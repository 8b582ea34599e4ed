"""Checks of parsed data, as TOML or JSON gives it: tables, their keys, and all problems with place and remedy. Pure.

Catalogs and policies are checked with it. Imports ``app.expressions``, ``app.domain`` and errors. Start with ``table``.
"""
