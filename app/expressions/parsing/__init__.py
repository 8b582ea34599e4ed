"""From text to syntax: tokens, then nodes with their positions. Knows no names and no types. Start with ``parser``."""
