"""Parquet files of decisions and labels by day, each offset in exactly one file.

Start with ``day_files``; written by the role ``analytics``, read by the day report.
"""
