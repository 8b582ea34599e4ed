"""One module per worker role. ``worker`` and ``stateful_worker`` are their base classes.

Start with ``risk``.
"""
