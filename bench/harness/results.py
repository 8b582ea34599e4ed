"""Writes result files with machine and command, and prints tables."""

import json
import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.harness import machine

RESULTS = Path(__file__).parents[1] / "results"


def document(module: str, results: Sequence[Mapping[str, Any]], **facts: Any) -> dict[str, Any]:
    """Return the content of a result file; ``module`` is the one that was run, ``facts`` apply to all results."""
    return {
        "machine": machine.describe(),
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
        **facts,
        "results": list(results),
    }


def publish(name: str, content: Mapping[str, Any], table: str, *, as_json: bool) -> None:
    """Write ``bench/results/<name>.json`` and print it, or the table."""
    text = json.dumps(content, indent=2)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text if as_json else table)


def median(values: Sequence[float]) -> float:
    """Return the median of the turns of one run."""
    return statistics.median(values)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with aligned columns, the first to the left and the others to the right."""
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [head, *rows]
    )


def progress(text: str) -> None:
    """Print progress to standard error, because a run takes minutes."""
    print(text, file=sys.stderr, flush=True)
