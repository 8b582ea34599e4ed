"""A chunk's way through a worker: accepted, batched, paused where it must wait, computed.

Start with ``chunk_runner``.
"""
