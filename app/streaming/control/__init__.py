"""Models changed while a worker runs: orders on the control topic, and the checks before a switch."""
