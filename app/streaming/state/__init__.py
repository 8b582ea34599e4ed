"""The durable table: RocksDB with a changelog topic, its restore, and its memory.

Start with ``tables``.
"""
