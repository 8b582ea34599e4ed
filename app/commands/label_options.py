"""Options of the commands that fold a history: what became known of its transactions, and when."""

from pathlib import Path
from typing import Annotated

import typer

Labels = Annotated[
    Path | None,
    typer.Option(
        help="Labels with the columns of fraud.labels.v1: each counts from its reported_at. "
        "Default: is_fraud of the transactions, where there is one."
    ),
]
LabelDelay = Annotated[
    int, typer.Option(min=0, help="Days after its transaction that is_fraud was known; without --labels.")
]
LABEL_DELAY_DAYS = 7
