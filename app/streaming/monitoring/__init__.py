"""Reports of a worker about itself: health, lag, metrics and traces; and the watchdog that ends a stalled worker.

Start with ``health``.
"""
