"""Pictures of dashboards: every panel of the JSON is drawn, with its legend and the colours that it fixes."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.domain.outcomes.outcome import Outcome
from app.rendering.palette import COLOURS
from bench.pages.panels import draw, fixed_colours, found, read
from tests.support.paths import REPOSITORY

DASHBOARDS = sorted((REPOSITORY / "deploy" / "grafana" / "dashboards").glob("*.json"))


def answer(expression: str) -> Sequence[Mapping[str, Any]]:
    """Two series with different times, as Prometheus answers."""
    labels = [{"outcome": "review", "le": "0.5"}, {"outcome": "decline", "le": "+Inf"}]
    values = [[[0, "1"], [3, "2.5"]], [[3, "4"], [6, "NaN"]]]
    return (
        []
        if "offset" in expression
        else [{"metric": metric, "values": points} for metric, points in zip(labels, values, strict=True)]
    )


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_is_drawn(path: Any) -> None:
    dashboard = read(path.read_text("utf-8"))
    figure = draw(dashboard, answer)
    output = io.BytesIO()
    figure.savefig(output, format="png")

    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        panel["title"] for panel in dashboard["panels"]
    ]
    assert output.getvalue().startswith(b"\x89PNG")


def test_lines_have_the_fixed_colours_of_their_legend() -> None:
    dashboard = read(DASHBOARDS[-1].read_text("utf-8"))
    panel = next(panel for panel in dashboard["panels"] if panel["title"] == "Decisions per second")
    (axes,) = draw({"title": "", "panels": [panel]}, answer).axes

    assert fixed_colours(panel) == {str(outcome): colour for outcome, colour in COLOURS.items()}
    drawn = {str(line.get_label()): line.get_color() for line in axes.get_lines()}
    assert drawn == {"review": COLOURS[Outcome.REVIEW], "decline": COLOURS[Outcome.DECLINE]}


def test_series_of_a_target_have_common_times_and_gaps() -> None:
    target = {"expr": "x", "legendFormat": "{{outcome}} at {{missing}}"}
    review, decline = found(target, answer)

    assert (review.name, decline.name) == ("review at ", "decline at ")
    assert [0, 3, 6] == list(review.seconds)
    assert [1.0, 2.5] == list(review.values[:2])


def test_a_panel_without_series_says_so() -> None:
    dashboard = read(DASHBOARDS[0].read_text("utf-8"))
    figure = draw(dashboard, lambda _: [])

    assert all(axes.texts[0].get_text() == "no data" for axes in figure.axes)
