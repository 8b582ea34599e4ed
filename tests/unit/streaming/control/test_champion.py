"""A champion is exchanged for one that passed every check, or not at all."""

import shutil
from pathlib import Path

import msgspec
import pytest

from app.adapters.models.bundles import Bundle, load
from app.adapters.models.loading import UNSIGNED
from app.adapters.observability.prometheus import PrometheusMetrics
from app.domain.control import ModelOrder, model_id
from app.domain.decision import ModelReference
from app.errors import ModelRejected
from app.streaming.control.champion import ChampionSwitch
from app.streaming.control.model_choice import ModelChoice
from tests.unit.forgeries import FORGERIES

NOW_MS = 1_760_000_000_000
FIRST, SECOND = "large-amounts/1", "large-amounts/2"


@pytest.fixture
def models(trial_models: Path) -> Path:
    return trial_models


@pytest.fixture
def swapped() -> list[str]:
    return []


@pytest.fixture
def switch(models: Path, swapped: list[str]) -> ChampionSwitch:
    choice = ModelChoice(models, "", UNSIGNED)
    return ChampionSwitch(
        choice,
        choice.first(None, NOW_MS),
        lambda bundle: swapped.append(model_id(bundle.reference)),
        PrometheusMetrics(),
        lambda: NOW_MS + 1,
    )


def order(bundle: Bundle, previous: ModelReference | None = None) -> ModelOrder:
    return ModelOrder(model=bundle.reference, previous=previous, ordered_at=NOW_MS)


async def test_an_order_takes_precedence_over_the_aliases(
    switch: ChampionSwitch, models: Path, swapped: list[str]
) -> None:
    await switch.follow(order(load(models / SECOND, UNSIGNED)))

    assert swapped == [SECOND]
    assert (switch.running.since_ms, switch.running.refused) == (NOW_MS + 1, None)


async def test_without_an_order_changed_aliases_are_followed(
    switch: ChampionSwitch, models: Path, swapped: list[str]
) -> None:
    (models / "aliases.toml").write_text(f'champion = "{SECOND}"\n')
    await switch.follow(None)

    assert swapped == [SECOND]


async def test_the_running_model_is_not_loaded_again(
    switch: ChampionSwitch, models: Path, swapped: list[str]
) -> None:
    bundle = switch.running.bundle
    await switch.follow(order(load(models / FIRST, UNSIGNED)))

    assert swapped == []
    assert switch.running.bundle is bundle


@pytest.mark.parametrize(
    "spoil",
    [
        lambda models: (models / SECOND / "model.skops").write_bytes(b"PK"),
        lambda models: (models / SECOND / "manifest.json").write_text("{}"),
        lambda models: shutil.rmtree(models / SECOND),
    ],
    ids=["model", "manifest", "missing"],
)
async def test_a_bad_model_leaves_the_old_one_running(
    switch: ChampionSwitch, models: Path, swapped: list[str], spoil: object
) -> None:
    ordered = order(load(models / SECOND, UNSIGNED))
    assert callable(spoil)
    spoil(models)
    await switch.follow(ordered)

    assert swapped == []
    assert model_id(switch.running.bundle.reference) == FIRST
    assert switch.running.refused is not None
    assert switch.running.refused.model == SECOND


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_model_is_refused_with_its_reason_and_the_old_one_stays(
    switch: ChampionSwitch, models: Path, swapped: list[str], name: str
) -> None:
    forgery = FORGERIES[name]
    forgery.spoil(models / SECOND)
    forged = msgspec.structs.replace(switch.running.bundle.reference, version="2", digest="0" * 64)
    await switch.follow(ModelOrder(model=forged, ordered_at=NOW_MS))

    refused = switch.running.refused
    assert refused is not None
    assert forgery.said in refused.reason
    assert [name] == [other for other, (_, said) in FORGERIES.items() if said in refused.reason]
    assert (swapped, model_id(switch.running.bundle.reference)) == ([], FIRST)


async def test_the_same_name_with_other_content_is_refused(
    switch: ChampionSwitch, models: Path, swapped: list[str]
) -> None:
    ordered = order(load(models / SECOND, UNSIGNED))
    other = msgspec.structs.replace(ordered, model=msgspec.structs.replace(ordered.model, digest="0" * 64))
    await switch.follow(other)

    assert swapped == []
    assert switch.running.refused is not None
    assert "digest" in switch.running.refused.reason


async def test_a_refusal_is_cleared_once_the_chosen_model_runs(switch: ChampionSwitch, models: Path) -> None:
    (models / "aliases.toml").write_text("champion = 3")
    await switch.follow(None)
    refused_first = switch.running.refused
    (models / "aliases.toml").write_text(f'champion = "{FIRST}"\n')
    await switch.follow(None)

    assert refused_first is not None
    assert switch.running.refused is None


async def test_a_pinned_worker_refuses_an_order_and_names_the_setting(models: Path) -> None:
    choice = ModelChoice(models, FIRST, UNSIGNED)
    switch = ChampionSwitch(
        choice,
        choice.first(None, NOW_MS),
        lambda _: pytest.fail("swapped"),
        PrometheusMetrics(),
        lambda: NOW_MS,
    )
    await switch.follow(order(load(models / SECOND, UNSIGNED)))

    assert switch.running.refused is not None
    assert "FRAUDSTREAM_MODEL_CHAMPION" in switch.running.refused.reason


def test_a_worker_starts_with_the_ordered_model(models: Path) -> None:
    assert (
        model_id(
            ModelChoice(models, "", UNSIGNED)
            .first(order(load(models / SECOND, UNSIGNED)), NOW_MS)
            .bundle.reference
        )
        == SECOND
    )


def test_a_worker_that_cannot_load_the_ordered_model_starts_with_the_previous_one(models: Path) -> None:
    ordered = order(load(models / SECOND, UNSIGNED), previous=load(models / FIRST, UNSIGNED).reference)
    shutil.rmtree(models / SECOND)
    running = ModelChoice(models, "", UNSIGNED).first(ordered, NOW_MS)

    assert model_id(running.bundle.reference) == FIRST
    assert running.refused is not None


@pytest.mark.parametrize("previous", [None, ModelReference(name="no-such", version="2", digest="0")])
def test_an_order_that_no_worker_can_follow_does_not_keep_one_from_starting(
    models: Path, previous: ModelReference | None
) -> None:
    forged = ModelReference(name="no-such", version="1", digest="0")
    running = ModelChoice(models, "", UNSIGNED).first(
        ModelOrder(model=forged, previous=previous, ordered_at=NOW_MS), NOW_MS
    )

    assert model_id(running.bundle.reference) == FIRST
    assert running.refused is not None
    assert running.refused.model == "no-such/1"


@pytest.mark.parametrize("name", ["A" * 300, "..", "a/../..", "a\0b", "a\n", ""])
async def test_a_name_that_is_no_path_of_a_bundle_is_a_refusal(
    switch: ChampionSwitch, models: Path, swapped: list[str], name: str
) -> None:
    """An OSError ended model control, and kept workers from starting."""
    forged = ModelOrder(model=ModelReference(name=name, version="1", digest="0"), ordered_at=NOW_MS)
    await switch.follow(forged)

    assert (swapped, model_id(switch.running.bundle.reference)) == ([], FIRST)
    assert switch.running.refused is not None
    assert model_id(ModelChoice(models, "", UNSIGNED).first(forged, NOW_MS).bundle.reference) == FIRST


async def test_files_that_cannot_be_read_or_that_a_library_fails_on_are_a_refusal(
    switch: ChampionSwitch, models: Path, swapped: list[str]
) -> None:
    """A directory in place of a file, and a link that leads to itself."""
    ordered = order(load(models / SECOND, UNSIGNED))
    shutil.rmtree(models / SECOND)
    (models / SECOND).symlink_to(models / SECOND)
    await switch.follow(ordered)
    assert switch.running.refused is not None
    (models / SECOND).unlink()
    (models / SECOND / "manifest.json").mkdir(parents=True)
    await switch.follow(ordered)

    assert swapped == []
    assert switch.running.refused is not None
    assert "manifest.json" in switch.running.refused.reason


async def test_an_error_that_no_check_foresees_is_a_refusal_without_its_text(
    models: Path, swapped: list[str]
) -> None:
    class Failing(ModelChoice):
        failing = False

        def _bundle(self, model: str) -> Bundle:
            if self.failing:
                raise MemoryError("4111111111111111")
            return super()._bundle(model)

    choice = Failing(models, "", UNSIGNED)
    switch = ChampionSwitch(
        choice, choice.first(None, NOW_MS), lambda _: swapped.append("x"), PrometheusMetrics(), lambda: NOW_MS
    )
    choice.failing = True
    await switch.follow(order(load(models / SECOND, UNSIGNED)))

    assert swapped == []
    assert switch.running.refused is not None
    assert switch.running.refused.reason == f"{SECOND} cannot be loaded: MemoryError"


def test_a_worker_that_can_load_neither_does_not_start(models: Path) -> None:
    ordered = order(load(models / SECOND, UNSIGNED), previous=load(models / FIRST, UNSIGNED).reference)
    for reference in (FIRST, SECOND):
        shutil.rmtree(models / reference)

    with pytest.raises(ModelRejected, match=FIRST):
        ModelChoice(models, "", UNSIGNED).first(ordered, NOW_MS)
