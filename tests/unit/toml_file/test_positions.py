"""The scanner knows every key that ``tomllib`` reads, and its place, however the document is written."""

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.toml_file.positions import positions
from app.checking.problems import Path
from app.expressions.position import Position

ODD = '''# comment = 1
a = 1 # b = 2

"quoted key" . 'other.one' = "x" # "
c.d . e = { f = 1, "g h" = [ 1, { i = 2 } ], j.k = 3 }
l = [ # ]
    1, "]", # 2,
    [ 2,
      3 ], """
  ] # no end
""" ,
]
m = """four quotes: """"
n = \'\'\'
[not.a.header]
\'\'\'
"" = 1979-05-27 07:32:00
p = { }
q = []

[r.s]
t = "a \\" b" # [u]
[r]
u = true
  [[ v . w ]]
  x = 'C:\\'
[[v.w]]
[v.w.y]
z = -inf
[[v.w.list]]
[[v.w.list]]
"\\u00e9" = 0x1F
'''
AT = {
    ("a",): 2,
    ("quoted key", "other.one"): 4,
    ("c", "d", "e", "f"): 5,
    ("c", "d", "e", "g h", 1, "i"): 5,
    ("l", 0): 7,
    ("l", 2): 8,
    ("l", 2, 1): 9,
    ("l", 3): 9,
    ("m",): 13,
    ("n",): 14,
    ("",): 17,
    ("q",): 19,
    ("r", "s"): 21,
    ("r", "s", "t"): 22,
    ("r",): 23,
    ("r", "u"): 24,
    ("v",): 25,
    ("v", "w"): 25,
    ("v", "w", 0): 25,
    ("v", "w", 0, "x"): 26,
    ("v", "w", 1): 27,
    ("v", "w", 1, "y", "z"): 29,
    ("v", "w", 1, "list", 1): 31,
    ("v", "w", 1, "list", 1, "é"): 32,
}


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values in a value."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def lines(text: str) -> dict[Path, int]:
    return {path: at.line for path, at in positions(text).all().items()}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_key_of_an_odd_document_has_its_line(newline: str) -> None:
    text = ODD.replace("\n", newline)
    found = lines(text)

    assert set(found) == set(paths(tomllib.loads(text)))
    assert {path: found[path] for path in AT} == AT


def test_a_path_that_the_file_does_not_have_is_on_the_line_of_the_table_around_it() -> None:
    places = positions("a = 1\n[[b]]\n  c = 1\n[[b]]\n")

    assert places.of(("b", 0, "c")) == (3, 3)
    assert places.of(("b", 1, "c", "d")) == (4, 3)
    assert places.of(("x",)) == places.of(()) == (1, 1)


TEXTS = """
a = "one"
b . c = 'two "quoted"'
d = [ "x", '''
three
four''', { e = "\\"\\u00e9\\nfive" } ]
f = \"\"\"six \\
      seven\"\"\"\"
"""
WITHIN = {
    (("a",), Position(1, 1)): (2, 6),
    (("a",), Position(1, 99)): (2, 9),
    (("b", "c"), Position(1, 5)): (3, 14),
    (("d", 1), Position(1, 2)): (5, 2),
    (("d", 1), Position(2, 4)): (6, 4),
    (("d", 2, "e"), Position(1, 2)): (6, 19),
    (("d", 2, "e"), Position(1, 3)): (6, 25),
    (("d", 2, "e"), Position(2, 4)): (6, 30),
    (("f",), Position(1, 5)): (8, 7),
    (("f",), Position(1, 10)): (8, 12),
    (("d",), Position(1, 3)): (4, 1),
    (("no", "such"), Position(1, 3)): (1, 1),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("path", "at"), WITHIN)
def test_a_character_of_a_text_has_its_place_in_the_file(path: Path, at: Position, newline: str) -> None:
    assert positions(TEXTS.replace("\n", newline)).within(path, at) == WITHIN[path, at]


KEYS = st.sampled_from(["a", "b", "c-d", "1", '"a"', '"b c"', "'d.e'", '"\\t"', '"#"'])
SPACES = st.sampled_from(["", " ", "\t"])
BREAKS = st.sampled_from(["", " ", "\n", "\n  # ] } ,\n"])
SCALARS = st.sampled_from(
    ["1", "-2.5e3", "true", "inf", "1979-05-27T07:32:00Z", '"x"', "'y'", '"\\" # ]"', "'#'", '"""a\n"b" ""\n"""', "'''\n'\n'''", '""""""']
)  # fmt: skip


@st.composite
def _array(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    elements = draw(st.lists(inner, max_size=3))
    parts = [draw(BREAKS) + element + draw(BREAKS) for element in elements]
    return "[" + ",".join(parts) + draw(st.sampled_from(["", ","] if parts else [""])) + draw(BREAKS) + "]"


@st.composite
def _inline(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    pairs = [draw(_dotted()) + "=" + draw(SPACES) + draw(inner) for _ in range(draw(st.integers(0, 2)))]
    return "{" + draw(SPACES) + ", ".join(pairs) + draw(SPACES) + "}"


@st.composite
def _dotted(draw: st.DrawFn) -> str:
    parts = draw(st.lists(KEYS, min_size=1, max_size=3))
    return draw(SPACES) + f"{draw(SPACES)}.{draw(SPACES)}".join(parts) + draw(SPACES)


VALUES = st.recursive(SCALARS, lambda inner: _array(inner) | _inline(inner), max_leaves=6)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    statements = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.integers(0, 4))
        if kind == 0:
            statements.append(f"[{draw(_dotted())}]")
        elif kind == 1:
            statements.append(f"[[{draw(_dotted())}]]")
        else:
            statements.append(f"{draw(_dotted())}={draw(SPACES)}{draw(VALUES)}")
        statements[-1] += draw(st.sampled_from(["", " # [x]", "\n", "\r\n"]))
    return "\n".join(statements)


@given(_documents())
def test_the_keys_are_those_of_tomllib(text: str) -> None:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # a key twice
        return
    found = lines(text)

    assert set(found) == set(paths(values))
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


@given(st.text(st.sampled_from("[]{}=,.#\"'\\\na 1"), max_size=40))
def test_no_text_is_endless(text: str) -> None:
    """Not even one that ``tomllib`` refuses; a key with a wrong escape is refused here, too."""
    with suppress(tomllib.TOMLDecodeError):
        lines(text)


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8)


@given(st.lists(PLAIN, min_size=1, max_size=4), st.data())
def test_every_character_is_found_again_in_any_way_to_write_a_text(
    lines: list[str], data: st.DataObject
) -> None:
    content = "\n".join(lines)
    quoted = '"' + content.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    several = '"""\n' + content.replace("\\", "\\\\").replace('"', '\\"') + '"""'
    text = "a = " + data.draw(st.sampled_from([quoted, several]))
    assert tomllib.loads(text) == {"a": content}
    places, rows = positions(text), text.split("\n")

    for number, line in enumerate(lines, start=1):
        for column, character in enumerate(line, start=1):
            at = places.within(("a",), Position(number, column))
            found = rows[at.line - 1][at.column - 1]
            assert (rows[at.line - 1][at.column] if found == "\\" else found) == character
