"""Bounds of a catalog. What exceeds one is refused when the file is checked, so that no event can be slow and no profile large."""

from app.catalog.durations import DAY_MS

HORIZON_MS = 31 * DAY_MS
"""The widest window, and the longest delay. A profile keeps events this long, and the allowed lateness longer."""
MOST_FIELDS = 64
"""Declared ones; each is carried into the decision."""
MOST_ENTITIES = 8
MOST_KEY_FIELDS = 2
MOST_FEATURES = 256
MOST_FILTERS = 62
"""Different ``where`` of a catalog: each is one bit of an event in the profile, beside the bit of reversed events."""
MOST_SAME = 3
MOST_VALUES = 200
"""Of a category."""
MOST_VALUE_CHARACTERS = 64
MOST_IDENTIFIER_CHARACTERS = 64
"""As for the identifiers of the contract, which are keys of topics and of Redis."""
MOST_FIELD_CHARACTERS = 256
"""Of a declared text."""
MOST_DECIMALS = 9
MOST_SCALED = 10**15
"""Of the whole number that a window keeps: the sum of 8,192 of them has 63 bits."""
MOST_MEANING_CHARACTERS = 200
MOST_UNIT_CHARACTERS = 32
