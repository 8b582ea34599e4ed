"""With a public key set, every path that loads a model checks its signature: the paths are found in the source, and each is run."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from app.adapters.models import bundles, listing
from app.adapters.models.loading import Loading
from app.adapters.topic_records.control_log import ControlLog
from app.commands.models.gate import Terms, verdict_on
from app.commands.models.models import load_champion
from app.demo import machine_code
from app.domain.decision import ModelReference
from app.errors import FraudstreamError, SignatureRefused
from app.model_comparison.shadowed import stored_thresholds
from app.operations.local_checks import check_aliases, check_model
from app.replay.rescoring import referenced_bundle
from app.settings import ModelSettings, Settings
from app.streaming.control import client
from app.streaming.control.model_choice import ModelChoice
from tests.support.paths import REPOSITORY
from tests.support.wire.signing import write_pair

UNSIGNED_MODEL, SIGNED_MODEL = "large-amounts/1", "large-amounts/2"
APP = REPOSITORY / "app"
GATE = "app.commands.models.gate.verdict_on"


def said(found: Callable[[Settings], object]) -> Callable[[Settings], str]:
    """The reason of a refusal, which may be raised or a part of the result."""

    def run(settings: Settings) -> str:
        try:
            return str(found(settings))
        except FraudstreamError as error:
            return str(error)

    return run


def reference(model: str) -> ModelReference:
    name, version = model.split("/")
    return ModelReference(name=name, version=version, digest="0" * 64)


PATHS: dict[str, Callable[[Settings], str]] = {
    # The worker, its check before the start, and the listener that follows orders.
    "app.streaming.control.model_choice.ModelChoice.by": said(
        lambda settings: ModelChoice.by(settings).first(None, 0)
    ),
    "app.streaming.control.client._checked": said(
        lambda settings: client.challenge(settings, [UNSIGNED_MODEL])
    ),
    "app.streaming.control.client.promotion": said(
        lambda settings: client.promotion(settings, SIGNED_MODEL, ControlLog())  # after an unsigned champion
    ),
    "app.streaming.control.client.usual_alert_rate": said(
        lambda settings: client.usual_alert_rate(settings, UNSIGNED_MODEL)
    ),
    "app.operations.local_checks.check_model": said(check_model),
    "app.operations.local_checks.check_aliases": said(check_aliases),
    "app.replay.rescoring.referenced_bundle": said(
        lambda settings: referenced_bundle(settings.model, reference(UNSIGNED_MODEL))
    ),
    "app.demo.machine_code.load_champion": said(machine_code.load_champion),
    "app.commands.models.models.load_champion": said(lambda settings: load_champion(settings, "")),
    GATE: said(
        lambda settings: verdict_on(settings, SIGNED_MODEL, UNSIGNED_MODEL, Terms(None, None, 1, 0.0, 1))
    ),
    # The manifest alone.
    "app.adapters.models.listing.list_bundles": said(lambda settings: listing.list_bundles(settings.model)),
    "app.model_comparison.shadowed.stored_thresholds": said(
        lambda settings: stored_thresholds(settings.model, UNSIGNED_MODEL) or "it is not signed"
    ),
}


def functions(tree: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield each function with its qualified name, and the module's own statements."""
    yield name, tree
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from functions(node, f"{name}.{node.name}")


def own_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of functions inside it."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
            yield from own_nodes(node)


def users(wanted: Callable[[ast.AST], bool]) -> set[str]:
    """The functions of the service that contain such a node."""
    found = set()
    for path in APP.rglob("*.py"):
        module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for name, function in functions(ast.parse(path.read_text(encoding="utf-8")), module):
            if any(map(wanted, own_nodes(function))):
                found.add(name)
    return found


def names(*wanted: str) -> Callable[[ast.AST], bool]:
    """Whether a node uses one of these names; an import alone is no use."""
    return lambda node: (
        (isinstance(node, ast.Name) and node.id in wanted)
        or (isinstance(node, ast.Attribute) and node.attr in wanted)
    )


@pytest.fixture
def settings(trial_models: Path, tmp_path: Path) -> Settings:
    """Settings that demand signatures; the champion and one of two challengers are not signed."""
    write_pair(tmp_path, "key")
    bundles.sign(trial_models / SIGNED_MODEL, tmp_path / "key.pem")
    aliases = f'champion = "{UNSIGNED_MODEL}"\nchallengers = ["{SIGNED_MODEL}", "large-amounts/3"]\n'
    (trial_models / "aliases.toml").write_text(aliases)
    model = ModelSettings(dir=str(trial_models), public_key_file=str(tmp_path / "key.pub"))
    return msgspec.structs.replace(Settings(), model=model)


def test_every_path_is_listed_here() -> None:
    found = users(lambda node: isinstance(node, ast.Attribute) and ast.unparse(node) == "Loading.by")

    assert found == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_refuses_an_unsigned_bundle(settings: Settings, path: str) -> None:
    assert "is not signed" in PATHS[path](settings)


@pytest.mark.parametrize("path", sorted(PATHS.keys() - {GATE}))
def test_a_path_has_no_such_reason_where_all_are_signed(
    settings: Settings, path: str, tmp_path: Path
) -> None:
    """Else the test above would pass for any path that fails. The gate would read the topics next."""
    for model in (UNSIGNED_MODEL, "large-amounts/3"):
        bundles.sign(Path(settings.model.dir) / model, tmp_path / "key.pem")

    assert "is not signed" not in PATHS[path](settings)


def test_only_own_bundles_are_loaded_without_a_signature() -> None:
    assert users(names("UNSIGNED")) == {
        "app.adapters.models.bundles.save",
        "app.adapters.models.bundles.sign",
        "app.adapters.models.loading",
    }
    by_hand = users(lambda node: isinstance(node, ast.Call) and ast.unparse(node.func) == "Loading")
    assert by_hand == {"app.adapters.models.loading"}


def test_only_the_checked_path_reads_models_and_manifests() -> None:
    """Functions that would open a model file, or the manifest beside it, around the check of the signature."""
    readers = users(names("skops_files", "stored_forest", "scorers_of"))
    assert {name for name in readers if not name.startswith("app.adapters.models.")} == {
        # Estimators that this process has fitted.
        "app.training.fitting.require_storable",
        "app.training.train.train",
        "app.evaluation.prequential.run",
    }
    manifests = users(
        lambda node: (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) in {"manifest.read", "manifest.decode", "manifest.read_files"}
        )
    )
    assert manifests == {
        "app.adapters.models.bundles._load",
        "app.adapters.models.bundles.described",
        "app.adapters.models.bundles.sign",
    }


def test_a_worker_does_not_start_with_an_unsigned_champion(settings: Settings) -> None:
    with pytest.raises(SignatureRefused):
        ModelChoice.by(settings).first(None, 0)
    assert Loading.by(settings.model).public_key_file == settings.model.public_key_file
