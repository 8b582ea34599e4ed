"""The topics of the service as a table, and their creation and check on a cluster.

Start with ``topic_specs``.
"""
