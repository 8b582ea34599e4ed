"""The colours of outcomes can be told apart and read, on light and on dark grounds and with 16 colours."""

import pytest
from rich.color import Color, ColorSystem

from app.domain.outcomes.outcome import Outcome
from app.rendering.palette import COLOURS

GROUNDS = {"white": "#FFFFFF", "dark": "#181B1F", "black": "#000000"}
LEAST_CONTRAST = 3.0
"""WCAG 2.1, 1.4.11: of graphics and of large or bold text."""
OF_16 = {Outcome.APPROVE: {7, 8}, Outcome.REVIEW: {3, 11}, Outcome.DECLINE: {1, 9}}


def luminance(colour: str) -> float:
    """Relative luminance after WCAG."""
    parts = [part / 255 for part in Color.parse(colour).get_truecolor()]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_every_outcome_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == set(Outcome)
    assert len(set(COLOURS.values())) == len(Outcome)


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
@pytest.mark.parametrize("outcome", Outcome)
def test_a_colour_is_seen_on_every_ground(outcome: Outcome, ground: str) -> None:
    assert contrast(COLOURS[outcome], ground) >= LEAST_CONTRAST


@pytest.mark.parametrize("outcome", Outcome)
def test_a_console_with_16_colours_shows_grey_yellow_and_red(outcome: Outcome) -> None:
    assert Color.parse(COLOURS[outcome]).downgrade(ColorSystem.STANDARD).number in OF_16[outcome]
