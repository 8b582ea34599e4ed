"""A stored policy is read as it was stored, or refused with the reason and the remedy."""

import os
from pathlib import Path

import pytest

from app.adapters.policies.stored import MANIFEST_FILE, MOST_BYTES, POLICY_FILE, read, store
from app.errors import ConfigurationError, PolicyRejected
from tests.support.wire.signing import write_pair

CONTENT = b'name = "desk"\n'


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    store(tmp_path, "desk", "7", CONTENT)
    return tmp_path


def test_a_policy_is_read_as_it_was_stored(stored: Path) -> None:
    found = read(stored, "desk/7")

    assert (found.reference.name, found.reference.version, found.content) == ("desk", "7", CONTENT)
    assert len(found.reference.digest) == 64


def test_equal_policies_have_equal_digests_and_others_have_others(stored: Path, tmp_path: Path) -> None:
    store(tmp_path / "again", "desk", "7", CONTENT)
    store(tmp_path / "other", "desk", "7", CONTENT + b"#")
    digests = [
        read(path, "desk/7").reference.digest for path in (stored, tmp_path / "again", tmp_path / "other")
    ]

    assert digests[0] == digests[1] != digests[2]


def test_a_version_never_changes(stored: Path) -> None:
    with pytest.raises(ConfigurationError, match="a version never changes"):
        store(stored, "desk", "7", b"other")
    assert read(stored, "desk/7").content == CONTENT


@pytest.mark.parametrize("file", [POLICY_FILE, MANIFEST_FILE])
@pytest.mark.parametrize(
    "changed", [b"", b"{}", b"\xff", b"[" * 100_000, CONTENT + b" ", b"x" * (MOST_BYTES + 1)]
)
def test_an_altered_file_is_refused(stored: Path, file: str, changed: bytes) -> None:
    (stored / "desk/7" / file).write_bytes(changed)

    with pytest.raises(PolicyRejected, match="Restore"):
        read(stored, "desk/7")


@pytest.mark.parametrize("file", [POLICY_FILE, MANIFEST_FILE])
def test_a_missing_file_and_one_that_is_a_pipe_are_refused(stored: Path, file: str) -> None:
    path = stored / "desk/7" / file
    path.unlink()
    with pytest.raises(PolicyRejected, match="Copy the policy to every worker"):
        read(stored, "desk/7")
    os.mkfifo(path)
    with pytest.raises(PolicyRejected, match="no regular file"):
        read(stored, "desk/7")


@pytest.mark.parametrize(
    "policy", ["", "desk", "desk/7/", "../desk/7", "desk/../7", "/etc/passwd", "a/b/c", "desk/7\n", "-/7"]
)
def test_an_id_never_leaves_the_directory(stored: Path, policy: str) -> None:
    with pytest.raises(PolicyRejected, match="NAME/VERSION"):
        read(stored, policy)


def test_a_folder_that_was_renamed_is_refused(stored: Path) -> None:
    (stored / "desk/7").rename(stored / "desk/8")

    with pytest.raises(PolicyRejected, match="describes another policy"):
        read(stored, "desk/8")


@pytest.mark.usefixtures("stored")
def test_only_what_the_key_has_signed_is_read_where_there_is_a_key(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        write_pair(tmp_path, name)
    ours = str(tmp_path / "ours.pub")
    store(tmp_path, "desk", "8", CONTENT, tmp_path / "ours.pem")
    store(tmp_path, "desk", "9", CONTENT, tmp_path / "theirs.pem")

    assert read(tmp_path, "desk/8", ours).content == CONTENT
    for policy, why in (("desk/7", "is not signed"), ("desk/9", "is not a signature")):
        with pytest.raises(PolicyRejected, match=why):
            read(tmp_path, policy, ours)
