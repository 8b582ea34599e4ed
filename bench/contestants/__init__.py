"""What stands beside ours: the same work in the ways that others would do it, each a process of its own.

All read the same settings from the environment as our worker does.
"""
