"""Simulated customers and fraud, and the production of transactions and labels onto topics at a rate.

Start with ``simulate`` and ``produce``.
"""
