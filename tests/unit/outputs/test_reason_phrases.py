"""Reasons in the width of a console: no phrase is cut in a word, and the first one is always shown."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.decision import Reason
from app.rendering.reason_words import SEPARATOR, phrase, phrases
from tests.unit.outputs.alerts import reason

texts = st.sampled_from(
    [
        "9 payments in 1 h, usual 1; 9: higher than the 1 usual for legitimate transactions",
        "on a weekend; lowers the score",
        "travelled at 52,750 km/h",
    ]
)


@given(
    reasons=st.lists(st.builds(lambda text: reason("code", 1.0, 1.0, text), texts), min_size=1, max_size=3),
    width=st.integers(1, 120),
)
def test_phrases_are_whole_the_first_come_first_and_the_width_holds(
    reasons: list[Reason], width: int
) -> None:
    said, shown = list(map(phrase, reasons)), phrases(reasons, width)

    assert len(shown) <= width
    if len(said[0]) <= width:
        assert shown.split(SEPARATOR) == said[: len(shown.split(SEPARATOR))]
    else:
        assert shown.endswith("…")
