"""Decodes the columns of a file to the fields of a batch, a whole column at a time.

May import what ``app.adapters.tabular`` defines of columns and batches, and the values of mappings. Start with ``built_columns``.
"""
