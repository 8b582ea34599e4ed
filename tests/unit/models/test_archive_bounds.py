"""What a model file unpacks to, and what skops would create of it, is bounded before it is allocated."""

import io
import json
import struct
import time
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from app.adapters.models import skops_files
from app.adapters.models.checks import archive, schema
from app.adapters.models.checks.limits import DEFAULT_LIMITS
from app.adapters.models.stored_forests import stored_forest
from app.errors import BundleCorrupt
from tests.unit.small_bundle import BOOSTED, WIDTH

SOUND = skops_files.dumps(BOOSTED)


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as stored:
        return {name: stored.read(name) for name in stored.namelist()}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return target.getvalue()


def with_files(**files: bytes) -> bytes:
    return zipped(files_of(SOUND) | {name.replace("_", "."): content for name, content in files.items()})


def with_schema(change: Callable[[dict[str, Any]], object], data: bytes = SOUND) -> bytes:
    described = json.loads(files_of(data)["schema.json"])
    change(described)
    return zipped(files_of(data) | {"schema.json": json.dumps(described).encode()})


def array(shape: str, descr: str = "'<f8'", content: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def refusal(data: bytes, **limits: int) -> str:
    """Why the file is refused, by both readers; neither takes long."""
    reasons = []
    for read in (skops_files.loads, lambda data, limits: stored_forest(data, WIDTH, limits)):
        with pytest.raises(BundleCorrupt) as caught:
            read(data, DEFAULT_LIMITS._replace(**limits))
        reasons.append(str(caught.value))
    return reasons[0]


def test_a_sound_file_is_read() -> None:
    assert skops_files.loads(SOUND).n_features_in_ == WIDTH
    assert stored_forest(SOUND, WIDTH) is not None


def test_the_unpacked_size_is_bounded_by_the_setting() -> None:
    assert "FRAUDSTREAM_MODEL_MAX_BUNDLE_BYTES" in refusal(
        with_files(more_npy=bytes(2**21)), bundle_bytes=2**21
    )


def test_the_number_of_nodes_is_bounded_by_the_setting() -> None:
    assert "FRAUDSTREAM_MODEL_MAX_TREE_NODES" in refusal(SOUND, tree_nodes=20)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b" " * (archive.MOST_SCHEMA_BYTES + 1), "schema of the model unpacks", id="bytes"),
        pytest.param(b"[" + b"[]," * 600_000 + b"[]]", "holds more than", id="lists"),
        pytest.param(b"[" + b"0," * 1_200_000 + b"0]", "holds more than", id="numbers"),
        pytest.param(b'{"a":"' + b"[" * 1_200_000 + b'"}', "holds more than", id="lists in a text"),
        pytest.param(b"[" * 90_000, "damaged", id="nested"),
        pytest.param(b"[" * 500 + b"]" * 500, "format 2 of skops", id="nested list"),
        pytest.param(b'{"protocol":2,"a":' + b"[" * 500 + b"]" * 500 + b"}", "levels", id="levels"),
        pytest.param(b"[]", "format 2 of skops", id="list"),
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(b"9" * 5_000, "damaged", id="long number"),
        pytest.param(b'{"protocol":0}', "format 2 of skops", id="old protocol"),
        pytest.param(b'{"protocol":true}', "format 2 of skops", id="truth value"),
    ],
)
def test_a_schema_is_bounded_before_it_is_parsed(content: bytes, reason: str) -> None:
    assert reason in refusal(with_files(schema_json=content))


def test_the_number_of_files_is_bounded_before_they_are_listed() -> None:
    directory = b"PK\x01\x02" * (archive.MOST_ENTRIES + 1)

    assert "more than 50,000 files" in refusal(SOUND + directory)


def _encrypted() -> bytes:
    data = bytearray(SOUND)
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(_encrypted(), "encrypted", id="encrypted"),
        pytest.param(zipped(files_of(SOUND), zipfile.ZIP_LZMA), "another method", id="lzma"),
        pytest.param(zipped(files_of(SOUND), zipfile.ZIP_BZIP2), "another method", id="bzip2"),
        pytest.param(zipped(files_of(SOUND) | {"../1.npy": b""}), "neither numbers", id="path"),
    ],
)
def test_a_zip_that_would_allocate_what_it_claims_is_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused() -> None:
    content = io.BytesIO(SOUND)
    with zipfile.ZipFile(content, "a") as stored:
        stored.writestr("1.npy", b"")

    assert "two files of one name" in refusal(content.getvalue())


@pytest.mark.parametrize(
    "content",
    [
        array(f"({2**40},)"),
        array(f"({2**32}, {2**32})"),
        array("(-1, -1)", content=bytes(8)),
        array(f"({2**62},)", "'|S0'"),
        array(f"({2**62},)", "[]"),
        array("(1,)", "'|O'", bytes(8)),
        array("(2,)", "'|b1'", b"\1\2"),
        array("(2,)", content=bytes(8)),
        array("(1,)", content=bytes(16)),
        array("(1,)", "[('a', '<f8', (1000000000,))]", bytes(8)),
        array("(" * 3_000),
        array("-" * 4_000 + "1"),
        array("(1,)" + " " * 5_000, content=bytes(8)),
        b"\x93NUMPY\x03\x00" + array("(1,)", content=bytes(8))[8:],
        b"",
        b"x",
    ],
    ids=range(16),
)
def test_an_array_has_the_elements_that_it_claims(content: bytes) -> None:
    reason = refusal(with_files(more_npy=content))

    assert "array" in reason or "damaged" in reason or "truth values" in reason


LEAF = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "1"}


def node(name: str, loader: str, **more: Any) -> dict[str, Any]:
    module, _, kind = name.rpartition(".")
    return {"__class__": kind, "__module__": module, "__loader__": loader, **more}


def tuple_of(*items: dict[str, Any]) -> dict[str, Any]:
    return node("builtins.tuple", "TupleNode", content=list(items))


@pytest.mark.parametrize(
    "added",
    [
        node(
            "numpy.ndarray",
            "LossNode",
            __reduce__={"args": tuple_of(LEAF | {"content": str(2**40)})},
            content=LEAF,
        ),
        node("builtins.list", "NdArrayNode", type="numpy", file="1.npy"),
        node("numpy.random.mtrand.RandomState", "NdArrayNode", type="numpy", file="1.npy"),
        node("sklearn.tree._tree.Tree", "ObjectNode"),
        node("sklearn.pipeline.Pipeline", "TypeNode"),
        node("numpy.random._generator.Generator", "ObjectNode"),
        node("builtins.str", ["JsonNode"]),  # type: ignore[arg-type]  # what no schema has
    ],
    ids=lambda added: f"{added['__class__']} by {added['__loader__']}",
)
def test_a_type_is_created_by_its_own_code_only(added: dict[str, Any]) -> None:
    """Another kind of node would call the type with arguments from the file."""
    assert "not trusted" in refusal(with_schema(lambda described: described.update(added=added)))


@pytest.mark.parametrize("content", ["[1]", " {}", "1" * 5_000, 1, None])
def test_a_plain_value_is_one(content: object) -> None:
    assert "plain value" in refusal(
        with_schema(lambda described: described.update(added=LEAF | {"content": content}))
    )


def _without_axes(files: dict[str, bytes], tree: dict[str, Any]) -> None:
    files[tree["content"]["content"]["nodes"]["file"]] = array("()", content=bytes(8))


def _flat_values(files: dict[str, bytes], tree: dict[str, Any]) -> None:
    files[tree["content"]["content"]["values"]["file"]] = array("(1,)", content=bytes(8))


@pytest.mark.parametrize(
    "forge",
    [
        _without_axes,
        _flat_values,
        lambda _, tree: tree["content"]["content"].update(nodes=LEAF | {"content": "null"}),
        lambda _, tree: tree["content"]["content"].update(values=LEAF | {"content": "null"}),
        lambda _, tree: tree.update(content=LEAF | {"content": "null"}),
        lambda _, tree: tree["__reduce__"]["args"]["content"][1].update(LEAF, content="null"),
        lambda _, tree: tree["__reduce__"]["args"]["content"][2].update(content="2"),
        lambda _, tree: tree["__reduce__"]["args"]["content"].pop(),
    ],
    ids=["no axes", "flat values", "no nodes", "no values", "no state", "no classes", "outputs", "arguments"],
)
def test_the_code_that_creates_a_tree_gets_its_arrays(forge: Callable[[Any, Any], object]) -> None:
    """It reads the shape of the nodes first, of none too, which ends the process. Found by the fuzz door."""
    data = skops_files.dumps(DecisionTreeClassifier(max_depth=2).fit([[0.0], [1.0], [2.0]], [0, 1, 0]))
    files, described = files_of(data), json.loads(files_of(data)["schema.json"])
    forge(files, described["content"]["content"]["tree_"])

    with pytest.raises(BundleCorrupt):
        skops_files.loads(zipped(files | {"schema.json": json.dumps(described).encode()}))


def test_a_loss_is_created_without_arguments() -> None:
    def with_an_argument(described: dict[str, Any]) -> None:
        loss = described["content"]["content"]["_loss"]["content"]["content"]["closs"]
        loss["__reduce__"]["args"]["content"].append(LEAF)

    assert "takes none" in refusal(with_schema(with_an_argument))


def test_a_generator_of_random_numbers_is_created_at_once() -> None:
    """NumPy mixes each number of the seed's pool with each, a billion steps here."""

    def with_a_large_pool(described: dict[str, Any]) -> None:
        generator = described["content"]["content"]["_feature_subsample_rng"]
        generator["content"]["seed_seq"]["content"]["pool_size"]["content"] = "30000"

    assert "random generator" in refusal(with_schema(with_a_large_pool))


def test_a_node_keeps_its_content_though_another_has_its_id() -> None:
    """Skops would take the first node with an id for all; the check of the trees without skops would see others."""

    def same_ids(described: dict[str, Any]) -> None:
        for one in schema.nodes(described):
            if one.get("type") == "numpy":
                one["__id__"] = 77

    forged = with_schema(same_ids)
    estimator, forest = skops_files.loads(forged), stored_forest(forged, WIDTH)

    assert forest is not None
    nodes = [tree[0].nodes for tree in skops_files.loads(SOUND)._predictors]
    assert all(np.array_equal(a[0].nodes, b) for a, b in zip(estimator._predictors, nodes, strict=True))


def test_nodes_that_share_nodes_are_no_endless_visit() -> None:
    inner: dict[str, Any] = LEAF | {"__id__": 100_000}  # ids that no other node has
    for number in range(100_001, 100_040):
        again = {key: value for key, value in inner.items() if key.startswith("__")}
        inner = node("builtins.list", "ListNode", content=[inner, again], __id__=number)
    began = time.monotonic()

    with pytest.raises(BundleCorrupt):
        skops_files.loads(
            with_schema(lambda described: described["content"]["content"].update(shared_=inner))
        )
    assert time.monotonic() - began < 10


@given(st.binary(max_size=300), st.integers(0, len(SOUND)))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int) -> None:
    for data in (noise, b"PK" + noise, SOUND[:at] + noise + SOUND[at + len(noise) :]):
        for read in (skops_files.loads, lambda data: stored_forest(data, WIDTH)):
            try:
                read(data)
            except BundleCorrupt:
                continue
