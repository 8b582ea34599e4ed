"""Files that are no catalogs, and the built-in ones."""

from pathlib import Path
from time import process_time

import pytest

from app.adapters.catalog_file.reader import BUILT_IN, load_catalog, parsed
from app.adapters.toml_file.reader import MOST_BYTES
from app.errors import ConfigurationError, InvalidCatalog
from tests.unit.catalog.cases import HEAD


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xef\xbb\xbf" + HEAD.encode(), "f:1: the file begins with a byte order mark; store it as UTF-8 without one"),
        (HEAD.encode("utf-16"), "f:1: byte 0xff is not UTF-8; store the file as UTF-8"),
        (HEAD.encode() + b"# caf\xe9\n", "f:20: byte 0xe9 is not UTF-8; store the file as UTF-8"),
        (b"#" * (MOST_BYTES + 1), "f:1: the file is larger than 262,144 bytes; split it, or remove what is not used"),
        (b"a = " + b"[" * 100_000, "f:1: arrays or tables are nested too deeply"),
        (b"a = " + b"9" * 5_000, "f:1: a number has thousands of digits"),
        (b"\0", "f:1: column 1: no valid TOML: Invalid statement"),
        (b"[catalog]\n\n\nname = ", "f:4: no valid TOML: Invalid value"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_mistake(data: bytes, said: str) -> None:
    catalog, mistakes = parsed(data)

    assert catalog is None
    assert [mistake.text("f") for mistake in mistakes] == [said]


def test_line_breaks_of_windows_change_no_line() -> None:
    text = HEAD + 'whindow = "1h"\n'

    assert parsed(text.encode()).mistakes == parsed(text.replace("\n", "\r\n").encode()).mistakes != ()


def test_the_error_lists_all_mistakes_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[catalog]\nname = "mine"\nreference_currency = "eur"\n', encoding="utf-8")

    with pytest.raises(InvalidCatalog) as raised:
        load_catalog(str(path))

    assert str(raised.value).split("\n") == [
        "the catalog is refused:",
        f"{path}:1: features: 0 features; a catalog has 1 to 256",
        f"{path}:3: catalog.reference_currency: 'eur' is no currency of ISO 4217; write EUR",
    ]


@pytest.mark.parametrize("name", ["nowhere.toml", "", "/", "a\0b", "~", "basline"])
def test_a_name_that_is_no_file_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"neither a built-in catalog \(baseline.*\) nor a readable file"
    ):
        load_catalog(name)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_catalog_is_sound_and_has_its_name(name: str) -> None:
    assert load_catalog(name).name == name


MANY = 5_000
LARGE = {
    "fields": HEAD
    + "".join(f'[fields.f{n}]\ntype = "text"\n' for n in range(MANY))
    + '[[features]]\nname = "a"\nof = "f"\n',
    "features": HEAD + "".join(f'[[features]]\nname = "f{n}"\nentity = "e{n}"\n' for n in range(MANY)),
    "entities": HEAD + "".join(f'[entities.e{n}]\nkey = "f{n}"\n' for n in range(MANY)),
    "keys": HEAD + "".join(f"k{n} = 1\n" for n in range(MANY)),
    "values": HEAD + f"[fields.a]\ntype = 'category'\nvalues = [{', '.join(['5'] * MANY)}]\n",
    "long names": HEAD + f"same = ['{'ab' * 50_000}']\n[fields.{'ba' * 50_000}]\ntype = 'text'\n",
}
SECONDS = 5.0
"""Of processor time; a quadratic check takes minutes."""


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_large_file_with_mistakes_is_refused_in_bounded_time(text: str) -> None:
    begun = process_time()

    assert parsed(text.encode()).mistakes
    assert process_time() - begun < SECONDS
