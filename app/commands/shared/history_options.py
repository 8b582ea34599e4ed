"""Options of the commands that read a file of transactions: its layout, and the order of its rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.adapters.tabular.row_order import RowOrder

LabelledFile = Annotated[
    Path, typer.Argument(help="Labelled history: Parquet, CSV or JSON lines, with is_fraud.")
]
Mapping = Annotated[
    str | None,
    typer.Option(help="A layout such as `handbook` or `paysim`, or a TOML file: docs/data/mappings.md."),
]
Sort = Annotated[
    bool,
    typer.Option("--sort", help="Sort the rows by event time before processing them."),
]
Catalog = Annotated[
    str | None,
    typer.Option(
        help="Fields and features: a TOML file or a built-in catalog. Default: FRAUDSTREAM_CATALOG_FILE, else this release's."
    ),
]
AsArrived = Annotated[
    bool,
    typer.Option(
        "--as-arrived",
        help="Keep the order of the file even if many rows go back in time. Default: refuse it.",
    ),
]


def row_order(sort: bool, as_arrived: bool) -> "RowOrder":
    """The order that the options ask for. Raises BadParameter for both."""
    from app.adapters.tabular.row_order import RowOrder

    if sort and as_arrived:
        raise typer.BadParameter("--sort changes the order that --as-arrived keeps; give one")
    if sort:
        return RowOrder.SORTED
    return RowOrder.ARRIVAL if as_arrived else RowOrder.CHECKED
