"""Style of the charts, and their conversion to SVG text. Needs matplotlib, from the extra ``report``."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# The palette of Okabe and Ito, which is distinguishable for colour-blind people.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "fraudstream",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "text.parse_math": False,  # names come from records: a "$" in them begins no formula
}


def drawing(across: str, up: str) -> tuple[Figure, Axes]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)


def svg(figure: Figure) -> str:
    """Return a figure as SVG text. The same figure gives the same bytes."""
    file = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": "fraudstream"})
    text = file.getvalue()
    return text[text.index("<svg") :]
