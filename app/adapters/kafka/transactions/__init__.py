"""Kafka transactions of other programs: which records they committed, and which partitions they hold back.

``isolation`` says which records readers receive, ``aborted`` recognises the others in a fetched response. Nothing here
writes. Start with ``isolation``.
"""
