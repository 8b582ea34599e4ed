"""The values of one row, and the lists that conditions look them up in."""

from collections.abc import Container, Mapping, Sequence

Cell = float | int | str | bool | None
"""float for a number, int for money and times, str for a text, category or identifier; None where it is missing. A cell of another type than its column's is missing too."""
Row = Sequence[Cell]
"""The cells of one row, in the order of the names."""
Lists = Mapping[str, Container[str]]
"""The entries of each list that is in force."""
