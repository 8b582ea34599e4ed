"""Kafka's record batches, read so that no stored byte ends a process.

Start with ``batch_format`` (the parser) and ``contained_fetch`` (what a consumer does where a batch cannot be read).
"""
