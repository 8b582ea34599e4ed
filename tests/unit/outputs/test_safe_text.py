"""Laws of the one sanitiser: what comes out acts nowhere, and what was harmless is unchanged."""

import json
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import safe_text
from tests.unit.outputs.hostile import is_harmless, texts


@given(texts)
def test_one_line_is_one_printable_line(text: str) -> None:
    assert safe_text.one_line(text).isprintable()


@given(texts)
def test_escaping_again_changes_nothing(text: str) -> None:
    once = safe_text.one_line(text)

    assert once == safe_text.one_line(once)


@given(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)) | st.sampled_from(["Zoë", "店 12", "€5"])
)
def test_printable_text_is_unchanged(text: str) -> None:
    assert text == safe_text.one_line(text) == safe_text.many_lines(text) == safe_text.in_json(text)


@given(texts, texts)
def test_a_further_line_never_begins_like_a_line_of_the_program(text: str, second: str) -> None:
    first, *others = safe_text.many_lines(f"{text}\n{second}").split("\n")

    assert first.isprintable()
    assert all(line.startswith(safe_text.INDENT) and line.isprintable() for line in others)


@given(
    st.recursive(texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
)
def test_json_keeps_its_value(value: object) -> None:
    for text in (json.dumps(value, ensure_ascii=False), json.dumps(value, ensure_ascii=False, indent=2)):
        safe = safe_text.in_json(text)

        assert is_harmless(safe)
        joined = json.loads(json.dumps(value))  # JSON joins surrogates that stand side by side
        assert joined == json.loads(safe)


@given(st.binary() | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_record_of_any_bytes_is_one_line(record: bytes) -> None:
    assert safe_text.json_line(record).isprintable()


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text()))
def test_a_record_of_json_keeps_its_value(value: dict[str, object]) -> None:
    record = json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")

    assert value == json.loads(safe_text.json_line(record))


@given(texts)
def test_html_holds_neither_markup_nor_controls(text: str) -> None:
    shown = safe_text.in_html(text)

    assert shown.isprintable()
    assert not {"<", ">", '"', "'"} & set(shown)
    assert unescape(shown) == safe_text.one_line(text)


SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


@given(st.sampled_from(SIGNS), texts)
def test_no_cell_of_a_csv_file_begins_like_a_formula(sign: str, text: str) -> None:
    cell = safe_text.in_csv(f"{sign}{text}")

    assert cell.isprintable()
    assert cell[0] not in SIGNS or _is_number(cell)


@given(st.text("'=-a1"), st.text("'=-a1"))
def test_different_texts_are_different_cells(one: str, other: str) -> None:
    assert (one == other) is (safe_text.in_csv(one) == safe_text.in_csv(other))


@pytest.mark.parametrize("text", ["-5", "+5.25", "-1e-7", "12", "tx-1", "O'Neill", "a=b", ""])
def test_numbers_and_ordinary_texts_stay_in_a_csv_file(text: str) -> None:
    assert text == safe_text.in_csv(text)


@pytest.mark.parametrize("text", ["-5+cmd", "+1-1", "-2*3", "=1", "@SUM(A1)", "-", "+", "-1\n=2"])
def test_what_a_spreadsheet_computes_is_text(text: str) -> None:
    assert safe_text.in_csv(text).startswith("'")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("scheme", ["http", "https", "redis", "rediss", "postgresql", "amqp"])
@pytest.mark.parametrize("password", ["secret", "se:cret", "se@cret", "secret/x", "%73ecret", "secret?x"])
def test_credentials_in_urls_are_concealed(scheme: str, password: str) -> None:
    told = safe_text.without_credentials(f"{scheme}://risk:{password}@host:80/path?key=secret: it fails")

    assert "secret" not in told
    assert "risk" not in told
    assert told.startswith(f"{scheme}://***@host:80/path")
    assert told.endswith(" it fails")


@pytest.mark.parametrize("text", ["http://host:80/path fails", "a@b.example", "why? because", "c@d ://"])
def test_other_texts_are_not_concealed(text: str) -> None:
    assert text == safe_text.without_credentials(text)


@given(st.dictionaries(texts, texts.map(lambda text: f"http://{text}@host?{text}")))
def test_a_concealed_json_document_is_still_json(value: dict[str, str]) -> None:
    assert isinstance(json.loads(safe_text.without_credentials(json.dumps(value))), dict)
