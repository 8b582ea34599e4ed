"""Bounds of an expression. What exceeds one is refused while the expression is checked, so that no row can be slow."""

MOST_CHARACTERS = 4_000
MOST_NAME_CHARACTERS = 64
MOST_TEXT_CHARACTERS = 256
"""Of a text between quotes."""
MOST_DIGITS = 15
"""Of a number, before and after its point together: a double keeps 15 digits, so that a literal reads back as it is written."""
MOST_DEPTH = 40
"""Levels within each other: parentheses, calls, operators. Parser, checker and closures take stack for each level."""
MOST_NODES = 500
MOST_VALUES = 200
"""Values in parentheses after ``in``; more belong in a list."""
MOST_COST = 500
"""Sum of the costs of all nodes (cost.py)."""

MOST_INTEGER = 2**63 - 1
"""Largest magnitude of money and times. -2**63 is excluded, so that a negation never overflows."""
EDGE = 2.0**63
"""The first double beyond 63 bits. Every smaller one is an integer of 63 bits when it is rounded."""
MOST_NUMBER = 1.7976931348623157e308
"""The largest double; a number beyond it is missing."""
