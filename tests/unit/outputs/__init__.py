"""What leaves the program as text: consoles, logs, HTML and CSV."""
