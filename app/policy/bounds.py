"""Bounds of a policy. What exceeds one is refused when the file is checked, so that no chunk can be slow."""

MOST_RULES = 256
MOST_BANDS = 64
MOST_LISTS = 64
MOST_CHANNELS = 64
"""Of the deadline."""
MOST_TESTS = 50
"""Of a rule."""
MOST_TEST_ENTRIES = 100
"""Of a list in a test."""
MOST_COST = 10_000
"""Units of all conditions together, for each transaction (app/expressions/cost.py)."""
MOST_REASON_CHARACTERS = 32
MOST_TEXT_CHARACTERS = 200
MOST_OWNER_CHARACTERS = 64
MOST_THRESHOLD = 2.0
"""A threshold above 1 is reached by no score."""
LEAST_WINDOW, MOST_WINDOW, DEFAULT_WINDOW = 100, 100_000, 1_000
"""Transactions of the window in which hits are counted."""
MOST_HOLDOUT_SHARE = 0.1
MOST_PER_DAY = 10_000_000
"""Alerts of the budget, and released declines."""
