"""Every topic of the service as data, and its creation and verification on a cluster.

Start with ``topic_specs``.
"""
