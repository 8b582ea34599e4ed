"""``make demo``: the local stack, workers, traffic and a live screen, and a reconciliation at the end.

Start with ``run``; ``bank_run`` is the same out of a database.
"""
