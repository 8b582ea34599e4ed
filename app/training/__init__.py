"""From a labelled history to a model bundle: folded, split by time, fitted, measured, written. Same input, same bytes.

Start with ``train``.
"""
