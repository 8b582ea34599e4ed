"""What a deployment computes: the features of this release, or those of a catalog, behind one interface. Pure.

Imports ``app.features``, ``app.profiles`` and ``app.catalog``; scoring and everything above takes its features from here. Start with
``interface``.
"""
