"""``fraudstream state rebuild``: write the profiles' changelog from the transactions log, also on a mirror of the cluster."""

import json as json_format
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.kafka.range_reader import RangeReader
    from app.replay.mirror_position import Search
    from app.replay.rebuild import Rebuilt
    from app.replay.refold import FoldRules
    from app.settings import Settings

HOUR_MS = 3_600_000


class Done(NamedTuple):
    """The result of the command."""

    rebuilt: "Rebuilt"
    resume: Mapping[int, int]
    """On a mirror: by partition, the offset committed for the group."""
    to_decide: int = 0
    """On a mirror: the records behind these offsets."""


def rebuild(
    *,
    from_mirror: Annotated[
        bool,
        typer.Option(
            "--from-mirror",
            help="The cluster is a mirror that takes over: fold up to the first transaction whose decision or alert was not "
            "mirrored, and commit that offset.",
        ),
    ] = False,
    look_back_hours: Annotated[
        float,
        typer.Option(
            min=0,
            help="With --from-mirror: hours before the newest transaction in which outputs may be missing.",
        ),
    ] = 1.0,
    repeat_seconds: Annotated[
        float,
        typer.Option(
            min=0,
            help="With --from-mirror: decide this much again before the first unfinished transaction.",
        ),
    ] = 60.0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rebuild a lost changelog: fold the transactions log and write every profile to the changelog topic.

    Requires that no worker is in the group and that the topic is empty;
    otherwise exit code 2. The log is folded from its beginning to the committed
    offsets, so that the workers resume there: nothing is decided twice or left
    out. On a mirror the offsets follow from the mirrored decisions and alerts;
    the newest transactions are decided twice, under the same ids.
    Records deleted by retention are missing in the profiles; windows are
    complete when the log covers 32 days. Afterwards start every
    worker with an empty data directory; move the old ones aside. Run it with the settings of the workers.
    """
    import asyncio
    import sys

    from app.replay.mirror_position import Search
    from app.settings import Settings

    if sys.stdin.isatty() and not yes:
        printing.confirm("Rebuild the changelog from the log?")
    search = Search(int(look_back_hours * HOUR_MS), int(repeat_seconds * 1000)) if from_mirror else None
    _print(asyncio.run(_rebuild(Settings.from_env(), search)), as_json=json)


async def _rebuild(settings: "Settings", search: "Search | None") -> Done:
    from app.adapters.kafka.batch_producer import BatchProducer
    from app.adapters.kafka.group_offsets import commit, committed
    from app.adapters.kafka.range_reader import open_range_reader
    from app.commands.shared.history import fold_rules
    from app.commands.shared.progress import rows_progress
    from app.replay import rebuild as rebuilding
    from app.replay.scratch_store import open_scratch_store
    from app.topics.topic_specs import profiles_changelog

    kafka, worker, sender = settings.kafka, settings.worker, BatchProducer(settings.kafka)
    async with (
        open_range_reader(kafka, settings.topics.transactions) as source,
        open_range_reader(kafka, profiles_changelog(settings)) as changelog,
    ):
        await rebuilding.require_no_members(kafka, worker.app_id)
        await rebuilding.require_empty(changelog)
        rules = fold_rules(settings)
        finished = await committed(kafka, worker.app_id, source.topic, source.topic_id)
        rebuilding.require_commits(worker.app_id, source.topic, finished, on_mirror=search is not None)
        if search is not None:
            finished = await _resume_offsets(settings, source, rules, search)
        with open_scratch_store(worker) as scratch:
            with rows_progress("records folded", None) as on_progress:
                folded = await rebuilding.rebuild(
                    source, rules, scratch, finished, worker.profile_cache_bytes, on_progress
                )
            await rebuilding.require_no_members(kafka, worker.app_id)
            sender.name_in_claims(changelog.topic, f"{changelog.topic_id:x}")
            await sender.start()
            try:
                profiles = await rebuilding.publish(scratch, finished, changelog.topic, sender)
            finally:
                await sender.stop()
        rebuilt = folded._replace(profiles=profiles)
        if search is None:
            return Done(rebuilt, {})
        # Last: workers that found these offsets without the profiles would decide on incomplete ones.
        await commit(kafka, worker.app_id, source.topic, source.topic_id, finished)
        ends = [(await source.extent(partition)).end for partition in finished]
        return Done(rebuilt, finished, sum(ends) - sum(finished.values()))


async def _resume_offsets(
    settings: "Settings", source: "RangeReader", rules: "FoldRules", search: "Search"
) -> dict[int, int]:
    from app.adapters.kafka.range_reader import open_range_reader
    from app.adapters.serde.offline_decoder import readable
    from app.replay.mirror_position import MirroredTopics, resume_offsets

    kafka, topics = settings.kafka, settings.topics
    async with (
        open_range_reader(kafka, topics.decisions, readable(settings)) as decisions,
        open_range_reader(kafka, topics.alerts, readable(settings)) as alerts,
    ):
        return await resume_offsets(MirroredTopics(source, decisions, alerts), rules, search)


def _print(done: Done, *, as_json: bool) -> None:
    rebuilt = done.rebuilt
    if as_json:
        on_mirror = {"resume": done.resume, "to_decide": done.to_decide} if done.resume else {}
        printing.json_text(json_format.dumps(rebuilt._asdict() | on_mirror))
        return
    printing.line(f"{rebuilt.profiles:,} profiles from {rebuilt.records:,} records")
    if rebuilt.cut:
        printing.line(
            f"retention has cut partitions {', '.join(map(str, rebuilt.cut))}: no profile holds the deleted records"
        )
    for partition, offset in done.resume.items():
        printing.line(f"workers continue in partition {partition} at offset {offset:,}")
    if done.resume:
        printing.line(
            f"{done.to_decide:,} records are to be decided, those among them that have a decision again"
        )
