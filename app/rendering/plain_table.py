"""Tables without borders."""

from rich.table import Table


def plain_table(*left: str, **right: str) -> Table:
    """Return an empty table: titles of columns aligned left, then of columns aligned right, named by keys."""
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for title in left:
        table.add_column(title, no_wrap=True)
    for title in right.values():
        table.add_column(title, justify="right", no_wrap=True)
    return table
