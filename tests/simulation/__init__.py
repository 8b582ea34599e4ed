"""Simulates the hot path in one process, with a crash possible between any two steps.

The code under test is the service's own: scorer, state cache, chunk runner, order of writes, session fence, changelog guard,
restore. Brokers, RocksDB, the clock and the scheduling of steps are simulated; one seed determines everything.
Start with ``schedule``.
"""
