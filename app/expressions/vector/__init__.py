"""The back-end for a chunk: NumPy columns with masks. Start with ``columns``, then ``conditions``."""
