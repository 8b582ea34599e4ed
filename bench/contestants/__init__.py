"""The contestants that our worker is compared with: the same work done with other tools, each in a process of its own.

All read the same settings from the environment as our worker.
"""
