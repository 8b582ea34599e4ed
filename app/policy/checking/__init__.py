"""From parsed data to a checked policy, or all problems that there are. Start with ``checker``."""
