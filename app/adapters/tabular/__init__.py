"""Transactions in Parquet, CSV and JSON lines, as batches of columns with bounded memory.

Start with ``files``; ``app.adapters.column_mapping`` says which column holds which field.
"""
