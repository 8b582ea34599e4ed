"""Features: folds over sliding windows, the bytes they keep, and the catalog of what a model sees. Pure and compiled.

One definition serves the stream, training and the batch. Start with ``catalog``, then ``fold`` and ``window``.
"""
