"""The report of a day: incremental from what the role ``analytics`` keeps, or computed from the Parquet files.

Start with ``day_report``.
"""
