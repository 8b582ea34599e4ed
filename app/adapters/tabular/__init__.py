"""Transactions in Parquet, CSV and JSON lines, as batches of columns with bounded memory.

Start with ``files``; ``mappings`` says which column feeds which field.
"""
