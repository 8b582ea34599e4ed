"""What a worker reports about itself: health, lag, metrics, traces; and the watchdog."""
