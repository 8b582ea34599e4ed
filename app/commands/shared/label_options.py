"""Label options of the commands that fold a history."""

from pathlib import Path
from typing import Annotated

import typer

Labels = Annotated[
    Path | None,
    typer.Option(
        help="File of labels with the columns of fraud.labels.v1; a label counts from its reported_at on. "
        "Default: the column is_fraud, if there is one."
    ),
]
LabelDelay = Annotated[
    int, typer.Option(min=0, help="Days from a transaction until is_fraud is known; without --labels.")
]
LABEL_DELAY_DAYS = 7
