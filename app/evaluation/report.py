"""Writes a self-contained HTML report: tables, charts and explanations."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from app.adapters.disk import durable_file
from app.domain.safe_text import in_html
from app.evaluation.text_table import Cell, TextTable

MEANINGS = {
    "Precision and recall": "Each point is a threshold. The area under a curve is about the average precision.",
    "Alert budget": "Precision and recall if this many transactions a day, those with the highest scores, become alerts.",
    "Calibration": "On the dotted line, the score equals the share of frauds. Above it, frauds are more frequent than the "
    "score predicts. Bins have equal size; half of them hold the highest 1 % of the scores.",
    "Feature importances": "On a seeded sample. Correlated features replace each other, so each of them looks less important.",
}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 0 0 1.5rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(30rem, 1fr)); gap: 1.5rem }
figure { margin: 0 } svg { max-width: 100%; height: auto } figcaption { color: #555 }
"""


def html(
    title: str,
    facts: str,
    tables: Iterable[TextTable],
    pictures: Mapping[str, str],
    meanings: Mapping[str, str] = MEANINGS,
) -> str:
    """Return the page. ``pictures`` are trusted SVG texts by title; all other text is escaped."""
    body = "".join(map(_table, tables))
    drawn = "".join(_figure(name, svg, meanings[name]) for name, svg in pictures.items())
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{in_html(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{in_html(title)}</h1><p>{in_html(facts)}</p>\n"
        f'{body}<div class="pictures">{drawn}</div></body></html>\n'
    )


def write(path: Path, text: str) -> None:
    """Write a file atomically: readers see the old or the new text."""
    durable_file.replace(path, text.encode())


def _table(table: TextTable) -> str:
    head = "".join(f"<th>{_cell(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(c)}</td>" for c in row) + "</tr>\n" for row in table.rows)
    return f"<h2>{in_html(table.title)}</h2>\n<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>\n"


def _cell(cell: str) -> str:
    text = in_html(cell)
    if isinstance(cell, Cell) and cell.colour:
        text = f'<b style="color: {cell.colour}">{text}</b>'
    return f'<a href="{in_html(cell.url)}">{text}</a>' if isinstance(cell, Cell) and cell.url else text


def _figure(title: str, svg: str, meaning: str) -> str:
    return f"<figure><h2>{in_html(title)}</h2>{svg}<figcaption>{in_html(meaning)}</figcaption></figure>\n"
