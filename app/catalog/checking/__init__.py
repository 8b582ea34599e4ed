"""From parsed data to a checked catalog, or all problems that there are, each with its path and the remedy. Start with ``checker``."""
