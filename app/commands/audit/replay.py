"""``fraudstream replay``: recompute the decisions of a range of the log and compare them with the published ones."""

import json as json_format
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.shared.times import parse
from app.domain.words import duration
from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.adapters.models.bundles import Bundle
    from app.domain.decision import ModelReference
    from app.replay.plan import LogPosition
    from app.replay.replay import Replay
    from app.settings import Settings

DAY_MS = 86_400_000


def replay(
    *,
    begin: Annotated[str, typer.Option("--from", metavar="TIME|OFFSET", help="Start of the range.")],
    end: Annotated[
        str,
        typer.Option(
            "--to", metavar="TIME|OFFSET", help="End of the range, exclusive. Default: all decided records."
        ),
    ] = "",
    partition: Annotated[
        int | None, typer.Option(min=0, help="Only this partition; required with an OFFSET.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME/VERSION", help="Score with this bundle. Default: the one that decided then."
        ),
    ] = "",
    warm_up_days: Annotated[
        float | None,
        typer.Option(
            min=0, help="Days before the range from which profiles are rebuilt. Default: the whole log."
        ),
    ] = None,
    app_id: Annotated[
        str,
        typer.Option(
            help="Keep the rebuilt profiles under this name, next to the worker's. Default: delete them."
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Recompute the decisions of a range of the log and compare them with the decisions topic.

    Runs next to the live system with profiles of its own: writes nothing to
    Kafka and joins no group. TIME is ISO 8601, UTC, and means the timestamps of
    records. Exit code 1 when a decision differs. Run it with the settings of
    the workers.
    """
    import asyncio
    import time

    from app.settings import Settings

    points = (_point(begin, partition), _point(end, partition))
    settings, started = Settings.from_env(), time.perf_counter()
    done = asyncio.run(_replay(settings, points, partition, model, warm_up_days, app_id))
    _print(done, time.perf_counter() - started, as_json=json)
    if done.counts.differs:
        raise typer.Exit(1)


def _point(text: str, partition: int | None) -> "LogPosition":
    from app.replay.plan import LogPosition

    if not text:
        return LogPosition()
    if text.isdecimal():
        if partition is None:
            raise typer.BadParameter(f"{text} is an offset: give its --partition")
        return LogPosition(offset=int(text))
    try:
        return LogPosition(time_ms=int(parse(text).timestamp() * 1000))
    except ValueError as error:
        raise typer.BadParameter(f"`{text}` is neither an offset nor a time in ISO 8601") from error


async def _replay(
    settings: "Settings",
    points: "tuple[LogPosition, LogPosition]",
    partition: int | None,
    model: str,
    warm_up_days: float | None,
    app_id: str,
) -> "Replay":
    from app.adapters.kafka.group_offsets import committed
    from app.adapters.kafka.range_reader import open_range_reader
    from app.adapters.serde.offline_decoder import readable
    from app.commands.shared.history import fold_rules
    from app.commands.shared.progress import rows_progress
    from app.replay.plan import plan
    from app.replay.replay import Replay
    from app.replay.scratch_store import open_scratch_store

    kafka, topics = settings.kafka, settings.topics
    models, cache_bytes = _models(settings, model), settings.worker.profile_cache_bytes
    async with (
        open_range_reader(kafka, topics.transactions) as source,
        open_range_reader(kafka, topics.decisions, readable(settings)) as then,
    ):
        finished = await committed(kafka, settings.worker.app_id, source.topic, source.topic_id)
        partitions = range(source.partitions) if partition is None else [partition]
        warm_up_ms = None if warm_up_days is None else int(warm_up_days * DAY_MS)
        ranges = await plan(source, partitions, points, finished, warm_up_ms)
        with open_scratch_store(settings.worker, app_id) as scratch:
            replay = Replay(source, then, fold_rules(settings), scratch, models, cache_bytes)
            with rows_progress(
                "replayed", sum(one.end - one.read_from for one in ranges)
            ) as replay.on_progress:
                for span in ranges:
                    await replay.run(span)
    return replay


def _models(settings: "Settings", model: str) -> "Callable[[ModelReference], Bundle]":
    """Return a function that loads the model of a decision, once per model; or always ``model`` if it is given."""
    from functools import lru_cache, partial

    from app.commands.models.models import load_champion
    from app.replay.rescoring import referenced_bundle

    if model:
        bundle = load_champion(settings, model)
        return lambda _: bundle
    return lru_cache(maxsize=16)(
        partial(referenced_bundle, settings.model, catalog_file=settings.catalog.file)
    )


def _print(replay: "Replay", seconds: float, *, as_json: bool) -> None:
    import msgspec

    counts = replay.counts
    if as_json:
        facts: dict[str, Any] = {
            "differs": counts.differs,
            "records": replay.read,
            "repeated": replay.repeated,
            "contradicting": replay.contradicting,
        } | msgspec.to_builtins(counts)
        speed = {"seconds": round(seconds, 3), "records_per_s": round(replay.read / seconds)}
        printing.json_text(json_format.dumps(facts | speed, indent=2))
        return
    printing.line(f"{replay.read:,} records in {duration(seconds)} ({replay.read / seconds:,.0f} records/s)")
    for kind, count in counts.kinds.most_common():
        printing.line(f"{count:>12,}  {kind}")
    for change, count in counts.outcomes.most_common():
        printing.line(f"{count:>12,}  {change.replace('>', ' then, now ')}")
    for name, count in counts.features.most_common():
        printing.line(f"{count:>12,}  differ in {name}")
    if replay.repeated:
        printing.line(
            f"{replay.repeated:>12,}  published again, {replay.contradicting:,} of them differently"
        )
    for one in counts.examples:
        printing.line(
            f"{one.kind} {one.partition}:{one.offset} {one.transaction_id}: {one.recorded} now {one.replayed}"
        )
