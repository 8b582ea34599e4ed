"""The messages of a registered Protobuf schema are found in time that grows with its length only."""

import base64
import time

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.schema_registry.protobuf_names import message_names

OPENINGS = ("/*", "/**", "/* ", "//", '"', "'", '"\\', "'\\", '/*"\\', "/*/", "message ", "message a ", "message a{", "{", "\\")  # fmt: skip


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("before", ["", "message A {} "])
def test_nothing_that_is_opened_again_and_again_takes_long(before: str, opening: str) -> None:
    begun = time.process_time()
    names = message_names(before + opening * 100_000)
    assert time.process_time() - begun < 1.0
    assert names[:1] == (["A"] if before else names[:1])


pieces = st.lists(
    st.sampled_from(["/*", "*/", "//", "\n", '"', "'", "\\", "{", "}", "message", " ", "M", "*", "/"])
)


@given(pieces=pieces, times=st.integers(1, 3))
def test_any_text_has_an_answer_and_any_repetition_is_as_fast(pieces: list[str], times: int) -> None:
    begun = time.process_time()
    message_names("".join(pieces) * (5_000 * times))
    assert time.process_time() - begun < 1.0


texts = st.text(st.characters(exclude_characters='"\\\n'), max_size=9)
comments = st.text(st.characters(exclude_characters="/"), max_size=9)


@given(text=texts, comment=comments, line=texts.filter(lambda text: "\r" not in text))
def test_comments_and_texts_hide_what_looks_like_messages(text: str, comment: str, line: str) -> None:
    schema = (
        f'option a = "{text} message X {{"; /* {comment} message Y {{ */ // {line} message Z {{ /*\n'
        f"message A {{ message B {{ }} }} message C{{}} option b = '\\' message D {{';\nmessage\nE\n{{ }}"
    )
    assert message_names(schema) == ["A", "C", "E"]


def test_names_of_a_descriptor() -> None:
    file = FileDescriptorProto(name="a.proto")
    file.message_type.add(name="A").nested_type.add(name="B")
    file.message_type.add(name="C")
    assert message_names(base64.b64encode(file.SerializeToString()).decode()) == ["A", "C"]
