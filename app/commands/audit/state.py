"""``fraudstream state``: print a customer's profile, verify all profiles against the log, or rebuild them from it."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.audit.rebuild import rebuild
from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.features.profile_view import ProfileView
    from app.replay.verify import Verification
    from app.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="Print, verify and rebuild customer profiles.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

commands.command("rebuild")(rebuild)


@commands.command("show")
def show(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="customer_id of the profile.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Read the databases of a stopped worker instead of the changelog."),
    ] = None,
    events: Annotated[int, typer.Option(min=0, help="Number of newest events to print.")] = 20,
    json: Json = False,
) -> None:
    """Print a customer's profile: windows, last applied offset and newest events.

    Reads the customer's partition of the changelog, or a data directory that no
    worker uses. Exit code 1 when there is no profile. Terminals and
    transactions appear as digests, because only these are stored.
    """
    import asyncio

    from app.features.profile_view import view
    from app.replay.stored_profiles import from_data_dir, partitions_with
    from app.settings import Settings

    settings = Settings.from_env()
    key = customer.encode(errors="surrogateescape")  # bytes of the command line that are no text
    by_murmur2 = settings.acceptance.partitioner == "murmur2"
    partitions = partitions_with(key, settings.topics.partitions, by_murmur2=by_murmur2)
    if data_dir is None:
        data = asyncio.run(_from_changelog(settings, partitions, key))
    else:
        data = from_data_dir(data_dir, partitions, key)
    if data is None:
        printing.line(f"there is no profile of {customer}", err=True)
        raise typer.Exit(1)
    _print_profile(customer, view(data), events, as_json=json)


@commands.command("verify")
def verify(
    partition: Annotated[int | None, typer.Option(min=0, help="Only this partition.")] = None,
    json: Json = False,
) -> None:
    """Rebuild every profile from the transactions log and compare it with the changelog, byte for byte.

    Workers may run meanwhile: a profile is compared at the offset that it had
    reached. Writes nothing to Kafka; the rebuilt profiles go to a temporary
    directory. Exit code 1 when a profile is different, missing or unexpected, or
    when retention deleted records that the group had not read.
    Run it with the settings of the workers.
    """
    import asyncio

    from app.settings import Settings

    verification = asyncio.run(_verify(Settings.from_env(), partition))
    _print_matches(verification, as_json=json)
    if not verification.is_sound:
        raise typer.Exit(1)


async def _from_changelog(settings: "Settings", partitions: "Iterable[int]", key: bytes) -> bytes | None:
    from app.adapters.kafka.range_reader import open_range_reader
    from app.commands.shared.progress import rows_progress
    from app.replay.stored_profiles import from_changelog
    from app.topics.topic_specs import profiles_changelog

    async with open_range_reader(settings.kafka, profiles_changelog(settings)) as changelog:
        with rows_progress("changelog read", None) as on_progress:
            return await from_changelog(changelog, partitions, key, on_progress)


async def _verify(settings: "Settings", partition: int | None) -> "Verification":
    from app.adapters.kafka.group_offsets import commits
    from app.adapters.kafka.range_reader import open_range_reader
    from app.commands.shared.history import fold_rules
    from app.commands.shared.progress import rows_progress
    from app.replay.scratch_store import open_scratch_store
    from app.replay.verify import Profiles, Verification
    from app.topics.topic_specs import profiles_changelog

    kafka, worker = settings.kafka, settings.worker
    async with (
        open_range_reader(kafka, settings.topics.transactions) as source,
        open_range_reader(kafka, profiles_changelog(settings)) as changelog,
    ):
        partitions = range(source.partitions) if partition is None else [partition]
        # Before the commits: of a group that reads meanwhile, retention may pass an older commit.
        begins = {one: (await source.extent(one)).begin for one in partitions}
        found = await commits(kafka, worker.app_id, source.topic, source.topic_id)
        verification = Verification(source, changelog, fold_rules(settings), worker.profile_cache_bytes)
        verification.note_lost(found, begins)
        with open_scratch_store(worker) as recorded, open_scratch_store(worker) as rebuilt:
            for one in partitions:
                _, ends = await source.extent(one)
                finished = found[one].offset if one in found else 0
                with rows_progress(f"partition {one}", ends) as on_progress:
                    await verification.run(one, finished, Profiles(recorded, rebuilt), on_progress)
    return verification


def _print_profile(customer: str, profile: "ProfileView", events: int, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        # By way of msgspec's JSON, in which a number that JSON does not have is null.
        facts = {"customer_id": customer} | json_format.loads(msgspec.json.encode(profile))
        printing.json_text(json_format.dumps(facts, indent=2))
        return
    for name, value in _facts(customer, profile).items():
        printing.line(f"{name:<16}{value}")
    for window in profile.windows:
        printing.line(
            f"{window.name:<16}{window.count} transactions, {window.amount_sum_minor:,} minor units"
        )
    printing.line(f"newest {min(events, len(profile.events))} of {len(profile.events)} events kept:")
    for event in profile.events[len(profile.events) - min(events, len(profile.events)) :]:
        printing.line(
            f"  {_time(event.event_time)}  {event.amount_minor:>14,}  terminal {event.terminal}  transaction {event.transaction}"
        )


def _facts(customer: str, profile: "ProfileView") -> dict[str, Any]:
    place = profile.place
    return {
        "customer": customer,
        "applied": f"{profile.applied} transactions, up to offset {profile.applied_offset}",
        "first seen": _time(profile.first_seen),
        "cut by the cap": "never" if profile.evicted is None else f"up to {_time(profile.evicted)}",
        "last place": "unknown"
        if place is None
        else f"{place.latitude}, {place.longitude} at {_time(place.event_time)}",
        "stored": f"{profile.bytes} bytes, version {profile.version}, topic {profile.topic_id}",
    }


def _time(milliseconds: int | None) -> str:
    from app.rendering.decision_text import event_time

    return "never" if milliseconds is None else f"{event_time(milliseconds)} UTC"


def _print_matches(verification: "Verification", *, as_json: bool) -> None:
    import msgspec

    from app.replay.verify import as_mapping

    matches = as_mapping(verification.matches)
    if as_json:
        mismatches = msgspec.to_builtins(verification.mismatches)
        lost = {"lost_records": verification.lost}
        facts = {"sound": verification.is_sound, "profiles": matches, "mismatches": mismatches} | lost
        printing.json_text(json_format.dumps(facts, indent=2))
        return
    for name, count in matches.items():
        printing.line(f"{count:>12,}  {name}")
    for one in verification.mismatches:
        printing.line(f"{one.match}: {one.customer_id}, partition {one.partition}")
    for partition, records in verification.lost.items():
        printing.line(
            f"lost: retention deleted {records:,} records of partition {partition} before the group read them; "
            "docs/operate/operations.md#recordslost"
        )
