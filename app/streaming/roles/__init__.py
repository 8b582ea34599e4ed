"""One module per worker role: risk, entities, analytics, crm. ``worker`` and ``stateful_worker`` are their base classes.

Start with ``risk``.
"""
