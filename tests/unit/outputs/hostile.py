"""Texts of attackers, and what a reader of the output must never receive."""

from hypothesis import strategies as st

ESCAPES = (
    "\x1b]0;title\x07",  # OSC: the title of the console
    "\x1b]52;c;aGk=\x07",  # OSC: the clipboard
    "\x1b]8;;http://evil\x1b\\",  # OSC: a link
    "\x1b[2J\x1b[H",  # clears the screen
    "\x9b2J",  # the same, by a C1 control
    "\x90q\x9c",  # DCS, by C1 controls
    "\r",
    "\b\x7f",
    "\x00",
)
FORGED = "all is well"
LINE_BREAKS = tuple(f"{char}{FORGED}" for char in ("\n", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029"))
REORDERED = ("\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\ufeff", "\U000e0041")
SURROGATES = ("\ud800", "\udcff")
MARKUP = ("[bold]", "[/]", "[link=http://evil]x[/link]", ":bomb:", "[@click=app.bell]x")
ALL = (*ESCAPES, *LINE_BREAKS, *REORDERED, *SURROGATES, *MARKUP)
EVERYTHING = "c" + "".join(ALL)

texts = st.lists(st.sampled_from(ALL) | st.text(max_size=5), max_size=6).map("".join)
"""Texts of an attacker, and any other."""


def is_harmless(shown: str) -> bool:
    """Whether a console shows this as it is: printable characters and the line breaks of the program."""
    return shown.replace("\n", "").isprintable()
