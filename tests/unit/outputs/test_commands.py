"""Every command, and what prints in it of values that others wrote. A new command that is not in the list fails here."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer

from app import cli
from tests.unit.outputs import printed_cases as cases
from tests.unit.outputs import printed_models as models
from tests.unit.outputs import printed_records as records
from tests.unit.outputs import test_hostile_values as known
from tests.unit.outputs.hostile import ALL, EVERYTHING, is_harmless
from tests.unit.outputs.test_hostile_values import HARMLESS

MEGABYTE = 2**20
SECONDS = 10.0
"""Of processor time for a value of a megabyte, printed several times."""

OWN_FIGURES = "prints figures and paths of its own options"
OF_SETTINGS = "prints the settings, and what is generated from them"
OF_ARGUMENTS = "prints the name of its argument, and numbers"
OF_STACK = "prints what it started itself on this machine"
WAITS = "prints the number of records that it sent"
SHOWN: dict[str, tuple[Callable[[str], None], ...] | str] = {
    "acl print": OF_SETTINGS,
    "alerts tail": (known.tailed, known.tailed_as_json, known.reference_rows),
    "cases hidden": (cases.suppressions, cases.suppressions_as_json),
    "cases list": (cases.case_queue, cases.case_queue_as_json),
    "cases rebuild": OWN_FIGURES,
    "cases show": (cases.shown_case, cases.shown_case_as_json),
    "cases suppress": "prints its own arguments, as one line",
    "catalog check": (models.refused_catalog, models.refused_catalog_as_json),
    "catalog diff": (models.catalogs_that_differ, models.catalogs_that_differ_as_json),
    "catalog show": (models.shown_catalog, models.shown_catalog_as_json),
    "cdc demo": (known.tailed,),
    "cdc latency": OWN_FIGURES,
    "cdc reference": "prints the number of changes; its log is that of a worker, test_logs.py",
    "cdc register": (known.connector,),
    "cdc status": (known.connector,),
    "control history": (records.past_orders, records.past_orders_as_json),
    "crm answer": WAITS,
    "crm questions": (records.questions, records.questions_as_json),
    "decisions tail": (known.tailed, known.tailed_as_json),
    "demo": (known.demo_lines, known.demo_screen),
    "dlq ls": (known.listed_dead_letter,),
    "dlq replay": (known.refused_dead_letter,),
    "dlq show": (known.shown_dead_letter, known.shown_dead_letter_as_json),
    "dlq skip": "prints the topic and offsets of its arguments, and why they cannot be read, which is a text of its own",
    "doctor": (known.finding,),
    "drift": (models.drifted,),
    "evaluate": "prints names of columns that it has chosen itself; its HTML report is in test_pages.py",
    "explain": (known.explained,),
    "features": OWN_FIGURES,
    "files copy": "prints the number of files, and the path of its argument",
    "files list": "prints the folders that come with the program",
    "labels send": WAITS,
    "lists add": OF_ARGUMENTS,
    "lists history": (models.list_change, models.list_change_as_json),
    "lists import": OF_ARGUMENTS,
    "lists remove": OF_ARGUMENTS,
    "lists show": (models.list_change, models.list_change_as_json),
    "model canary": (known.worker_report,),
    "model challenge": (known.worker_report,),
    "model compare": (models.compared,),
    "model gate": (models.judged,),
    "model list": (models.listed,),
    "model promote": (known.worker_report, models.judged),
    "model release": (known.worker_report,),
    "model rollback": (known.worker_report,),
    "model sign": "prints the model of its argument and a digest",
    "model status": (known.worker_report, known.orders),
    "model verify": "prints the model of its argument, a digest and timings; a refused bundle is an error, as in test_hostile_values.py",
    "monitor": (known.cluster,),
    "policy check": (models.refused_policy, models.refused_policy_as_json),
    "policy diff": (models.policies_that_differ, models.policies_that_differ_as_json),
    "policy promote": (known.worker_report,),
    "policy release": (known.worker_report,),
    "policy rollback": (known.worker_report,),
    "policy show": (models.shown_policy, models.shown_policy_as_json),
    "policy store": "prints the folder and digest of what it has stored; a refused policy is an error, as in test_hostile_values.py",
    "produce": WAITS,
    "replay": (records.replayed,),
    "report": (records.day,),
    "schemas check": (records.schema, records.sound_schema),
    "schemas register": (records.schema, records.sound_schema),
    "schemas show": OF_SETTINGS,
    "score": OWN_FIGURES,
    "settings": OF_SETTINGS,
    "simulate": OWN_FIGURES,
    "stack down": OF_STACK,
    "stack env": OF_STACK,
    "stack status": OF_STACK,
    "stack up": OF_STACK,
    "state rebuild": "prints numbers of records, and offsets",
    "state show": (records.profile, records.profile_as_json),
    "state verify": (records.mismatch, records.mismatch_as_json),
    "topics check": (records.topic_difference,),
    "topics ensure": (records.topic_difference,),
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


TITLED = {models.compared, models.judged}
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


DRAWN = {
    known.explained,
    known.cluster,
    known.demo_lines,
    known.demo_screen,
    models.compared,
    models.judged,
}
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
