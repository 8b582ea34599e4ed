"""What a Parquet file says of its own sizes, read before Arrow allocates what it says.

Arrow ends the process where it cannot parse the metadata of a column, and a footer need not agree with its pages. Imports nothing of
the other adapters. Start in ``pages``.
"""
