"""Defines one colour for each outcome on consoles, in reports and on dashboards. Every use also prints the outcome as a word.

Each has a contrast of at least 3 to a white and to a dark background, and a console with 16 colours shows it as grey,
yellow and red.
"""

from app.domain.outcomes.outcome import Outcome

COLOURS = {Outcome.APPROVE: "#868E96", Outcome.REVIEW: "#C77700", Outcome.DECLINE: "#E03131"}
STYLES = {
    outcome: f"bold {colour}" if outcome is Outcome.DECLINE else colour for outcome, colour in COLOURS.items()
}
"""The same for Rich."""
NEUTRAL, ATTENTION, ALARM = STYLES[Outcome.APPROVE], STYLES[Outcome.REVIEW], STYLES[Outcome.DECLINE]
"""Of other states: nothing to do, look at it, act."""
