"""Redis: the entity state that scoring reads, the reference rows, and a circuit breaker.

Start with ``activity_redis`` for the layout of keys and values.
"""
