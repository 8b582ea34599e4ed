"""Numeric ids are told from card numbers by how often their check digits are valid, with a bound on false alarms."""

import math
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.acceptance import ID_FIELDS, Acceptance
from app.domain.card_evidence import FALSE_ALARM, CardEvidence, evidence
from app.domain.card_number import contains_card_number
from app.domain.label import Label, LabelSource
from app.domain.transaction import Transaction
from app.errors import CardNumbersFound, InvalidEvent

NOW_MS = 1_760_000_000_000
SOUND = Transaction(
    transaction_id="t1",
    customer_id="c1",
    terminal_id="m1",
    event_time=NOW_MS,
    amount_minor=100,
    currency="EUR",
)
ALARM = -math.log(FALSE_ALARM)


def with_terminal(text: str) -> Transaction:
    return msgspec.structs.replace(SOUND, terminal_id=text)


def cards(random: Random, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        digits = f"4{random.randrange(10**15):015}"
        found += [digits] if contains_card_number(digits) else []
    return found


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_evidence_of_honest_ids_is_a_martingale(valid: int, invalid: int) -> None:
    """Its mean after one more value is what it was, from which the bound on false alarms follows (Ville)."""
    now = evidence(valid, invalid)
    after = 0.1 * math.exp(evidence(valid + 1, invalid) - now) + 0.9 * math.exp(
        evidence(valid, invalid + 1) - now
    )

    assert math.isclose(after, 1, rel_tol=1e-6)
    assert evidence(0, 0) == pytest.approx(0)


def test_seven_card_numbers_are_found_and_six_are_not() -> None:
    assert evidence(6, 0) < ALARM < evidence(7, 0)
    numbers = cards(Random(1), 7)
    found = CardEvidence(["terminal_id"])

    assert found.add(map(with_terminal, numbers[:6])) == {"terminal_id": 6}
    with pytest.raises(CardNumbersFound, match="`terminal_id` holds card numbers: 7 of 7") as error:
        found.add([with_terminal(numbers[6])])
    assert not any(number in str(error.value) for number in numbers)


@pytest.mark.parametrize("bits", [63, 64, 53])
def test_random_ids_are_never_taken_for_card_numbers(bits: int) -> None:
    random, found = Random(bits), CardEvidence(["terminal_id"])

    hits = found.add(with_terminal(str(random.getrandbits(bits))) for _ in range(20_000))

    assert 0.005 < hits["terminal_id"] / 20_000 < 0.05


def test_consecutive_numbers_are_never_taken_for_card_numbers() -> None:
    found = CardEvidence(["terminal_id"])

    assert found.add(with_terminal(str(4_000_000_000_000_000 + i)) for i in range(5_000)) == {
        "terminal_id": 500
    }


def test_a_popular_id_counts_once() -> None:
    found = CardEvidence(["terminal_id"])

    assert found.add([with_terminal("4111111111111111")] * 1_000) == {"terminal_id": 1_000}


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_part_of_card_numbers_among_honest_ids_is_found(share: float) -> None:
    random = Random(3)
    numbers = iter(cards(random, 3_000))
    found = CardEvidence(["terminal_id"])

    with pytest.raises(CardNumbersFound):
        found.add(
            with_terminal(next(numbers) if random.random() < share else f"4{random.randrange(10**15):015}")
            for _ in range(2_000)
        )


def test_labels_are_counted_like_transactions() -> None:
    numbers = cards(Random(5), 7)
    sound = Label(
        transaction_id="t1",
        customer_id="c1",
        terminal_id="m1",
        event_time=NOW_MS,
        is_fraud=True,
        source=LabelSource.ANALYST,
        reported_at=NOW_MS,
    )
    labels = [msgspec.structs.replace(sound, transaction_id=number) for number in numbers]

    assert CardEvidence(ID_FIELDS).add(labels[:6])["transaction_id"] == 6
    with pytest.raises(CardNumbersFound, match="`transaction_id` holds card numbers"):
        CardEvidence(ID_FIELDS).add(labels)


def test_without_declared_fields_nothing_is_counted() -> None:
    assert CardEvidence([]).add(map(with_terminal, cards(Random(2), 50))) == {}


def test_a_declared_field_accepts_what_looks_like_a_card_number_and_no_other_field_does() -> None:
    acceptance = Acceptance(numeric_ids=frozenset(["terminal_id"]))
    card = "4111111111111111"

    acceptance.check(with_terminal(card), key=b"c1", reference_ms=NOW_MS)
    for field in ("transaction_id", "channel", "card_token", "device_id"):
        with pytest.raises(InvalidEvent, match=f"card_number: `{field}`"):
            acceptance.check(msgspec.structs.replace(SOUND, **{field: card}), key=b"c1", reference_ms=NOW_MS)
