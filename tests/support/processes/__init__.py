"""Processes that tests start: a server that forks workers, and a worker with a rebalance while it stops."""
