"""Prints cases and suppressions, by the functions of the commands, with a text in each place that others write."""

from app.adapters.postgres.queries import AlertRow, Hidden
from app.cases.case import Case
from app.cases.contract import Status
from app.commands.data import cases


def a_case(text: str) -> Case:
    name = text.encode("utf-8", "replace").decode()  # the database holds UTF-8 only
    return Case(
        case_id=name,
        customer_id=name,
        status=Status.CLAIMED,
        version=2**62,
        opened_at=2**62,
        due_at=-(2**62),
        changed_at=0,
        alert_count=1,
        expected_loss=2**62,
        assignee=name,
    )


def case_queue(text: str) -> None:
    cases._print_cases([a_case(text)], 0, as_json=False)


def case_queue_as_json(text: str) -> None:
    cases._print_cases([a_case(text)], 0, as_json=True)


def a_shown_case(text: str, *, as_json: bool) -> None:
    case = a_case(text)
    alert = AlertRow(
        *(case.case_id, case.case_id, case.case_id, 2**62, 0.5, case.case_id, 10**15, "EUR", True, False)
    )
    cases._print_case(case, [alert], as_json=as_json)


def shown_case(text: str) -> None:
    a_shown_case(text, as_json=False)


def shown_case_as_json(text: str) -> None:
    a_shown_case(text, as_json=True)


def suppressed(text: str, *, as_json: bool) -> None:
    name = a_case(text).case_id
    cases._print_hidden([Hidden(1, name, name, name, name, 0, 2**62, 1, 1)], as_json=as_json)


def suppressions(text: str) -> None:
    suppressed(text, as_json=False)


def suppressions_as_json(text: str) -> None:
    suppressed(text, as_json=True)
