"""With a public key set, only signed bundles are loaded; a worker keeps its running model otherwise."""

import json
import os
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from app.adapters.models import bundles, signatures
from app.adapters.models.loading import UNSIGNED, Loading
from app.adapters.observability.prometheus import PrometheusMetrics
from app.cli import app
from app.domain.control import model_id
from app.errors import BundleCorrupt, ConfigurationError, SignatureRefused
from app.streaming.control.champion import ChampionSwitch
from app.streaming.control.model_choice import ModelChoice
from tests.support.wire.signing import write_pair
from tests.unit.forgeries import redeclare

MODEL = "large-amounts/1"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs: ``ours`` and ``theirs``."""
    directory = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        write_pair(directory, name)
    return directory


@pytest.fixture
def models(trial_models: Path) -> Path:
    return trial_models


@pytest.fixture
def signed(models: Path, keys: Path) -> Path:
    bundles.sign(models / MODEL, keys / "ours.pem")
    return models / MODEL


def trusting(keys: Path, name: str = "ours") -> Loading:
    return Loading(public_key_file=str(keys / f"{name}.pub"))


def test_a_signed_bundle_is_loaded(signed: Path, keys: Path) -> None:
    assert model_id(bundles.load(signed, trusting(keys)).reference) == MODEL


def test_an_unsigned_bundle_is_refused(models: Path, keys: Path) -> None:
    with pytest.raises(SignatureRefused, match="is not signed"):
        bundles.load(models / MODEL, trusting(keys))


def test_a_signature_by_another_key_is_refused(signed: Path, keys: Path) -> None:
    with pytest.raises(SignatureRefused, match="not a signature of this manifest"):
        bundles.load(signed, trusting(keys, "theirs"))


def test_a_manifest_changed_after_it_was_signed_is_refused(signed: Path, keys: Path) -> None:
    redeclare(signed, sklearn="1.0.0")

    with pytest.raises(SignatureRefused):
        bundles.load(signed, trusting(keys))


def test_a_file_changed_after_it_was_signed_is_refused(signed: Path, keys: Path) -> None:
    (signed / "CARD.md").write_text("all is well")

    with pytest.raises(BundleCorrupt, match=r"CARD\.md"):
        bundles.load(signed, trusting(keys))


@pytest.mark.parametrize("content", [b"", b"no base64: ?", b"AAAA", b"QUFB" * 100])
def test_a_malformed_signature_is_refused(signed: Path, keys: Path, content: bytes) -> None:
    (signed / signatures.FILE_NAME).write_bytes(content)

    with pytest.raises(SignatureRefused):
        bundles.load(signed, trusting(keys))


def test_a_signature_of_the_same_bytes_for_another_purpose_is_refused(signed: Path, keys: Path) -> None:
    key = serialization.load_pem_private_key((keys / "ours.pem").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    bare = key.sign((signed / "manifest.json").read_bytes())
    (signed / signatures.FILE_NAME).write_bytes(b64encode(bare))

    with pytest.raises(SignatureRefused):
        bundles.load(signed, trusting(keys))


@pytest.mark.usefixtures("signed")
def test_without_a_public_key_unsigned_bundles_are_loaded(models: Path) -> None:
    for name in (MODEL, "large-amounts/2"):
        assert model_id(bundles.load(models / name, UNSIGNED).reference) == name


@pytest.mark.parametrize("content", [None, b"no PEM"])
def test_an_unreadable_public_key_refuses_every_bundle(
    signed: Path, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "key.pub"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SignatureRefused, match="FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE"):
        bundles.load(signed, Loading(public_key_file=str(file)))


def test_a_key_of_another_kind_cannot_sign(models: Path, tmp_path: Path) -> None:
    key = generate_private_key(SECP256R1())
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(encoded)

    with pytest.raises(ConfigurationError, match="another kind than Ed25519"):
        bundles.sign(models / MODEL, tmp_path / "key.pem")

    assert not (models / MODEL / signatures.FILE_NAME).exists()


@pytest.mark.usefixtures("signed")
async def test_a_worker_keeps_its_model_if_the_next_is_not_signed(models: Path, keys: Path) -> None:
    choice = ModelChoice(models, "", trusting(keys))
    swapped: list[str] = []
    switch = ChampionSwitch(
        choice,
        choice.first(None, 0),
        lambda b: swapped.append(model_id(b.reference)),
        PrometheusMetrics(),
        lambda: 1,
    )
    (models / "aliases.toml").write_text('champion = "large-amounts/2"\n')

    await switch.follow(None)

    assert swapped == []
    assert model_id(switch.running.bundle.reference) == MODEL
    assert switch.running.refused is not None
    assert "is not signed" in switch.running.refused.reason


class TestCommands:
    @pytest.fixture(autouse=True)
    def environment(self, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(models))

    def test_verify_accepts_a_bundle_signed_by_sign(self, keys: Path) -> None:
        signed = CliRunner().invoke(app, ["model", "sign", MODEL, "--key", str(keys / "ours.pem"), "--json"])
        verified = CliRunner().invoke(
            app, ["model", "verify", MODEL, "--public-key", str(keys / "ours.pub"), "--json"]
        )

        assert (0, 0) == (signed.exit_code, verified.exit_code)
        assert json.loads(signed.stdout)["digest"] == json.loads(verified.stdout)["digest"]

    def test_verify_refuses_an_unsigned_bundle(self, keys: Path) -> None:
        ran = CliRunner().invoke(app, ["model", "verify", MODEL, "--public-key", str(keys / "ours.pub")])

        assert isinstance(ran.exception, SignatureRefused)

    def test_the_setting_is_the_default_key(self, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE", str(keys / "ours.pub"))

        assert isinstance(CliRunner().invoke(app, ["model", "verify", MODEL]).exception, SignatureRefused)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_keys_made_by_openssl_are_accepted(models: Path, tmp_path: Path) -> None:
    openssl = shutil.which("openssl") or os.devnull
    key, public = tmp_path / "key.pem", tmp_path / "key.pub"
    for command in (
        [openssl, "genpkey", "-algorithm", "ed25519", "-out", str(key)],
        [openssl, "pkey", "-in", str(key), "-pubout", "-out", str(public)],
    ):
        subprocess.run(command, check=True)  # noqa: S603  # a fixed command

    bundles.sign(models / MODEL, key)

    assert model_id(bundles.load(models / MODEL, Loading(public_key_file=str(public))).reference) == MODEL
