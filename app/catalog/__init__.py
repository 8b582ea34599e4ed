"""The catalog: the fields, entities and features that a deployment knows, as checked definitions. Pure.

A catalog file becomes a ``Catalog`` (``definitions``); nothing else computes features of it. Imports ``app.expressions``,
``app.domain`` and errors. Start with ``definitions``.
"""
