"""For operators: ``fraudstream doctor`` checks an installation, ``fraudstream monitor`` watches a cluster.

Start with ``doctor`` and ``cluster_metrics``.
"""
