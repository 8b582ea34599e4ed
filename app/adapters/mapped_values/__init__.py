"""The meaning of a raw value of a file or a table under a column mapping, one value at a time.

This is the definition that every source shares: rows of tables are read by it, and ``app.adapters.tabular`` computes the
same for whole columns. Start with ``rows``.
"""
