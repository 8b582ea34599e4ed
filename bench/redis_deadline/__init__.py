"""Share of decisions without entities by the read deadline of Redis: ``python -m bench.redis_deadline``.

``turn.py`` measures one condition once; ``__main__.py`` has the options and the table.
"""
