"""Every command, and what prints in it of values that others wrote. A new command that is not in the list fails here."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import typer

from app import cli
from app.adapters.kafka.range_reader import LogRecord
from app.adapters.models.listing import ListedBundle
from app.adapters.serde.registration import RegistrationStatus
from app.adapters.toml_file.reader import Mistake
from app.catalog.definitions import Catalog, Entity, Feature, Field, Function
from app.catalog.diff import Difference as CatalogDifference
from app.checking.problems import Problem
from app.commands.audit import replay, report, state
from app.commands.data import crm, schemas
from app.commands.models import catalog, compare, drift, gate, history, models
from app.commands.models.list_output import print_change
from app.domain.orders.past_order import PastOrder
from app.errors import StateCorrupt
from app.expressions import names
from app.features import state as profiles
from app.features.profile_view import view
from app.lists.changes import Action, ListChange
from app.model_comparison.gate import Verdict
from app.model_comparison.intervals import Compared, Interval
from app.model_comparison.paired import Alerts
from app.model_comparison.shadowed import Comparison
from app.operations.list_changes import Logged
from app.rendering import printing
from app.rendering.console import SafeConsole
from app.replay.compare_decisions import Example, Kind, ReplayCounts
from app.replay.verify import Match, Mismatch
from app.reports.headlines import headlines
from app.scoring.drift import Drift
from app.settings import Settings
from app.topics.provisioning import Difference
from tests.unit.outputs import test_hostile_values as known
from tests.unit.outputs.day_reports import day_report
from tests.unit.outputs.hostile import ALL, EVERYTHING, is_harmless
from tests.unit.outputs.test_hostile_values import HARMLESS, WIDE

MEGABYTE = 2**20
SECONDS = 10.0
"""Of processor time for a value of a megabyte, printed several times."""


def question(text: str) -> dict[str, Any]:
    return {
        "notification_id": text,
        "customer_id": text,
        "transaction_id": text,
        "terminal_id": text,
        "event_time": 2**62,
        "amount_minor": 10**15,
        "currency": "EUR",
        "outcome": "review",
        "asked_at": 1,
        "country": "DE",
    }


class Questions:
    """A topic of one question."""

    partitions = 1

    def __init__(self, text: str) -> None:
        value = json.dumps(question(text), ensure_ascii=False).encode("utf-8", "replace")
        self._records = [LogRecord("q", 0, 0, 0, b"c", value, ())]

    async def extent(self, _: int) -> tuple[int, int]:
        return 0, 1

    async def records(self, *_: int) -> AsyncIterator[tuple[list[LogRecord], int]]:
        yield self._records, 1


def asked(text: str, *, as_json: bool) -> None:
    """The fields of a question are bounded and of one alphabet each: the longest that is accepted is printed."""

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[Questions]:
        yield Questions(text[:64])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.adapters.kafka.range_reader.open_range_reader", opened)
        asyncio.run(crm._questions(Settings(), None, as_json=as_json))


def questions(text: str) -> None:
    asked(text, as_json=False)


def questions_as_json(text: str) -> None:
    asked(text, as_json=True)


def status(text: str) -> RegistrationStatus:
    return RegistrationStatus(subject=text, level=text, newest=1, id=1, problems=[text, text])


def schema(text: str) -> None:
    printing.lines(schemas._lines(status(text)))


def sound_schema(text: str) -> None:
    printing.lines(schemas._lines(msgspec.structs.replace(status(text), problems=[])))


def profile(text: str) -> None:
    state._print_profile(text, view(profiles.EMPTY), 5, as_json=False)


def profile_as_json(text: str) -> None:
    state._print_profile(text, view(profiles.EMPTY), 5, as_json=True)


def verified(text: str, *, as_json: bool) -> None:
    found: Any = SimpleNamespace(
        matches={Match.DIFFERENT: 1},
        mismatches=[Mismatch(match=Match.DIFFERENT, partition=0, customer_id=text)],
        lost={0: 5},
        is_sound=False,
    )
    state._print_matches(found, as_json=as_json)


def mismatch(text: str) -> None:
    verified(text, as_json=False)


def mismatch_as_json(text: str) -> None:
    verified(text, as_json=True)


def replayed(text: str) -> None:
    example = Example(
        kind=Kind.SCORE,
        offset=1,
        partition=0,
        transaction_id=text,
        recorded={text: text},
        replayed={"fate": text},
    )
    counts = ReplayCounts(
        kinds=Counter({Kind.SCORE: 1}),
        outcomes=Counter({text: 1}),
        features=Counter({text: 1}),
        examples=[example],
    )
    done: Any = SimpleNamespace(counts=counts, read=1, repeated=1, contradicting=1)
    for as_json in (False, True):
        replay._print(done, 1.0, as_json=as_json)


INTERVAL = Interval(value=0.5, low=0.4, high=0.6)
COMPARED = Compared(champion=INTERVAL, challenger=INTERVAL, difference=INTERVAL)
COUNTS = Alerts(champion=1, challenger=1, both=1, agreement=1.0)


def _wide(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "app.rendering.console.SafeConsole", lambda **options: SafeConsole(**options | {"width": WIDE})
    )


def compared(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _wide(patch)
        compare._show(
            Comparison(
                champion=text,
                challenger=text,
                transactions=1,
                frauds=1,
                days=1,
                alerts=COUNTS,
                figures={text: COMPARED},
            ),
            10,
        )


def judged(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _wide(patch)
        gate.show(
            Verdict(
                champion=text,
                candidate=text,
                transactions=1,
                frauds=1,
                days=1,
                budget=1,
                margin=0.1,
                figures={text: COMPARED},
                alerts=COUNTS,
                refusals=[text],
                warnings=[text],
            )
        )


def drifted(text: str) -> None:
    bundle: Any = SimpleNamespace(reference=known.model(text))
    found = [(Drift(text, 0.1, 0.0, 0.0), "steady")]
    for as_json in (False, True):
        drift._print_drifts(bundle, 1, found, as_json=as_json)


def listed(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        entry = ListedBundle(reference=text, alias=text, summary=text)
        patch.setattr("app.adapters.models.listing.list_bundles", lambda _: [entry])
        models.show(json=False)
        models.show(json=True)


def day(text: str) -> None:
    found = day_report(text)
    report._print(found, headlines(found, found), report._status([text]))


def topic_difference(text: str) -> None:
    printing.lines([str(Difference(text, text, text, text))])


def _past_orders(text: str) -> list[PastOrder]:
    order = {"models": [{"name": text, "version": text}]}
    return [PastOrder(key=text, order=order, ordered_by=text, reason=text, ordered_at=1)]


def past_orders(text: str) -> None:
    history._print(_past_orders(text), as_json=False)


def past_orders_as_json(text: str) -> None:
    history._print(_past_orders(text), as_json=True)


def refused_catalog(text: str) -> None:
    mistake = Mistake(1, Problem((text, 0, text), text, text))
    catalog._print_check(text, None, (mistake,), as_json=False)


def refused_catalog_as_json(text: str) -> None:
    catalog._print_check(text, None, (Mistake(1, Problem((text, 0, text), text, text)),), as_json=True)


def _catalog(text: str) -> Catalog:
    """Names are checked; TOML has no lone surrogates."""
    free = text.encode("utf-8", "replace").decode()
    return Catalog(
        name=free,
        reference_currency="EUR",
        fields=(Field(name="f", kind=names.Kind.CATEGORY, values=(free, free)),),
        entities=(Entity(name="e", key=("f",)),),
        features=(
            Feature(name="a", entity="e", function=Function.COUNT, meaning=free, unit=free, missing=free),
        ),
    )


def shown_catalog(text: str) -> None:
    catalog._print_catalog(_catalog(text), as_json=False)


def shown_catalog_as_json(text: str) -> None:
    catalog._print_catalog(_catalog(text), as_json=True)


def catalogs_that_differ(text: str) -> None:
    catalog._print_differences(
        [
            CatalogDifference(
                what="feature", name=text, how="changed", details=(text, text), lacks=(text,), log_ms=1
            )
        ],
        as_json=False,
    )


def catalogs_that_differ_as_json(text: str) -> None:
    catalog._print_differences(
        [
            CatalogDifference(
                what="feature", name=text, how="added", details=(text, text), lacks=(text,), log_ms=1
            )
        ],
        as_json=True,
    )


OWN_FIGURES = "prints figures and paths of its own options"
OF_SETTINGS = "prints the settings, and what is generated from them"
OF_STACK = "prints what it started itself on this machine"
WAITS = "prints the number of records that it sent"


def list_change(value: str) -> None:
    print_change(changed(value), None, as_json=False)


def list_change_as_json(value: str) -> None:
    print_change(changed(value), "d1", as_json=True)


def changed(value: str) -> Logged:
    """Another system may have written the reason and the author."""
    return Logged(
        7,
        ListChange(list_name="blocked", entries=["d1"], action=Action.ADD, reason=value, author=value, at=1),
    )


OF_ARGUMENTS = "prints the name of its argument, and numbers"
SHOWN: dict[str, tuple[Callable[[str], None], ...] | str] = {
    "acl print": OF_SETTINGS,
    "alerts tail": (known.tailed, known.tailed_as_json, known.reference_rows),
    "catalog check": (refused_catalog, refused_catalog_as_json),
    "catalog diff": (catalogs_that_differ, catalogs_that_differ_as_json),
    "catalog show": (shown_catalog, shown_catalog_as_json),
    "cdc demo": (known.tailed,),
    "cdc latency": OWN_FIGURES,
    "cdc reference": "prints the number of changes; its log is that of a worker, test_logs.py",
    "cdc register": (known.connector,),
    "cdc status": (known.connector,),
    "control history": (past_orders, past_orders_as_json),
    "crm answer": WAITS,
    "crm questions": (questions, questions_as_json),
    "decisions tail": (known.tailed, known.tailed_as_json),
    "demo": (known.demo_lines, known.demo_screen),
    "dlq ls": (known.listed_dead_letter,),
    "dlq replay": (known.refused_dead_letter,),
    "dlq show": (known.shown_dead_letter, known.shown_dead_letter_as_json),
    "dlq skip": "prints the topic and offsets of its arguments, and why they cannot be read, which is a text of its own",
    "doctor": (known.finding,),
    "drift": (drifted,),
    "evaluate": "prints names of columns that it has chosen itself; its HTML report is in test_pages.py",
    "explain": (known.explained,),
    "features": OWN_FIGURES,
    "files copy": "prints the number of files, and the path of its argument",
    "files list": "prints the folders that come with the program",
    "labels send": WAITS,
    "lists add": OF_ARGUMENTS,
    "lists history": (list_change, list_change_as_json),
    "lists import": OF_ARGUMENTS,
    "lists remove": OF_ARGUMENTS,
    "lists show": (list_change, list_change_as_json),
    "model canary": (known.worker_report,),
    "model challenge": (known.worker_report,),
    "model compare": (compared,),
    "model gate": (judged,),
    "model list": (listed,),
    "model promote": (known.worker_report, judged),
    "model release": (known.worker_report,),
    "model rollback": (known.worker_report,),
    "model sign": "prints the model of its argument and a digest",
    "model status": (known.worker_report, known.orders),
    "model verify": "prints the model of its argument, a digest and timings; a refused bundle is an error, as in test_hostile_values.py",
    "monitor": (known.cluster,),
    "produce": WAITS,
    "replay": (replayed,),
    "report": (day,),
    "schemas check": (schema, sound_schema),
    "schemas register": (schema, sound_schema),
    "schemas show": OF_SETTINGS,
    "score": OWN_FIGURES,
    "settings": OF_SETTINGS,
    "simulate": OWN_FIGURES,
    "stack down": OF_STACK,
    "stack env": OF_STACK,
    "stack status": OF_STACK,
    "stack up": OF_STACK,
    "state rebuild": "prints numbers of records, and offsets",
    "state show": (profile, profile_as_json),
    "state verify": (mismatch, mismatch_as_json),
    "topics check": (topic_difference,),
    "topics ensure": (topic_difference,),
    "topics list": OF_SETTINGS,
    "train": OWN_FIGURES,
    "worker": "test_logs.py",
}
"""What to print with a hostile value, or why there is none of another party."""
CASES = sorted(
    {prints for found in SHOWN.values() if not isinstance(found, str) for prints in found},
    key=lambda one: one.__name__,
)


def _commands(group: Any, names: tuple[str, ...] = ()) -> Iterator[str]:
    for name in group.commands:
        command = group.commands[name]
        yield from (
            _commands(command, (*names, name)) if hasattr(command, "commands") else [" ".join((*names, name))]
        )


def test_each_command_is_in_the_list() -> None:
    assert set(_commands(typer.main.get_command(cli.app))) == set(SHOWN)


def test_each_case_of_the_older_list_belongs_to_a_command() -> None:
    assert set(known.CASES) <= set(CASES)


TITLED = {compared, judged}
"""A long title of a table takes more lines."""


@pytest.mark.parametrize("prints", CASES, ids=lambda prints: prints.__name__)
def test_a_hostile_value_prints_as_many_lines_as_a_harmless_one(
    prints: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    prints(HARMLESS)
    expected = "".join(capsys.readouterr())
    for hostile in (*ALL, "=1+1", "<script>alert(1)</script>", *([] if prints in TITLED else [EVERYTHING])):
        prints(f"c{hostile}")
        told = "".join(capsys.readouterr())
        assert is_harmless(told), hostile
        assert expected.count("\n") == told.count("\n") > 0, hostile


DRAWN = {known.explained, known.cluster, known.demo_lines, known.demo_screen, compared, judged}
"""Tables and live screens, whose library measures every character of a cell several times."""


@pytest.mark.parametrize("prints", CASES, ids=lambda prints: prints.__name__)
def test_a_record_of_a_megabyte_is_printed_in_bounded_time(
    prints: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    length = MEGABYTE // (32 if prints in DRAWN else 8)  # of each field: several make a record of a megabyte
    long = (EVERYTHING * (length // len(EVERYTHING) + 1))[:length]
    begun = time.process_time()
    prints(long)
    assert time.process_time() - begun < SECONDS
    assert is_harmless("".join(capsys.readouterr()))


EXTREMES = (0, 1, -1, 2**31, 2**62, 2**63 - 1, -(2**63), 0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0000)


def _damaged_profiles() -> Iterator[bytes]:
    words = np.frombuffer(profiles.EMPTY, np.int64)
    for at in range(len(words)):
        for extreme in EXTREMES:
            changed = words.copy()
            changed[at] = extreme
            yield changed.tobytes()
    yield from (b"", b"\0" * 8, profiles.EMPTY[:-1], profiles.EMPTY + bytes(8), b"\xff" * len(profiles.EMPTY))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_profile_of_any_numbers_is_printed_or_refused(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = 0
    for data in _damaged_profiles():
        try:
            found = view(data)
        except StateCorrupt:
            continue
        state._print_profile("c1", found, 5, as_json=as_json)
        shown = capsys.readouterr().out
        assert is_harmless(shown)
        if as_json:
            json.loads(shown, parse_constant=pytest.fail)
        printed += 1
    assert printed > 100


def test_a_customer_of_the_command_line_that_is_no_text_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys: list[bytes] = []
    monkeypatch.setattr("app.replay.stored_profiles.from_data_dir", lambda _, __, key: keys.append(key))
    with pytest.raises(typer.Exit):
        state.show("\udcff\x1b", tmp_path, events=1, json=False)

    assert keys == [b"\xff\x1b"]
    assert is_harmless(capsys.readouterr().err)
