"""The lists in a worker: loaded before its first decision, then followed. Start with ``follower``."""
