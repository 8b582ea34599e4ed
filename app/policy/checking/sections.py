"""Checks what a policy has at most once: ``[deadline]``, ``[holdout]``, ``[budget]``."""

from app.checking.table import Table
from app.domain.outcomes.outcome import Outcome
from app.expressions.names import Names
from app.policy.bounds import MOST_CHANNELS, MOST_HOLDOUT_SHARE, MOST_PER_DAY
from app.policy.checking.values import amount, between, chosen, share, word
from app.policy.definitions import Budget, Deadline, Holdout, Policy


def deadline(file: Table) -> Deadline | None:
    """What is answered past a deadline; None where the section is absent or has a problem."""
    if "deadline" not in file or (table := file.table("deadline")) is None:
        return None
    table.expect("default", "channels")
    default, channels = word(table, "default", Outcome), dict[str, Outcome]()
    if "channels" in table and (answers := table.table("channels")) is not None:
        for channel in answers:
            text = answers.text(channel)
            outcome = None if text is None else chosen(answers, channel, text, Outcome)
            channels |= {} if outcome is None else {channel: outcome}
        if len(channels) > MOST_CHANNELS:
            table.refuse(f"{len(channels)} channels; at most {MOST_CHANNELS} are allowed", at="channels")
    return None if default is None else Deadline(default=default, channels=channels)


def holdout(file: Table, names: Names) -> Holdout | None:
    """What is released at random; None where the section is absent or has a problem."""
    if "holdout" not in file or (table := file.table("holdout")) is None:
        return None
    table.expect("share", "most_per_day", "most_amount_per_day")
    released = share(table, "share", MOST_HOLDOUT_SHARE, zero=False)
    count = between(table, "most_per_day", 1, MOST_PER_DAY)
    if "most_amount_per_day" not in table:
        example = f'write an amount, as in most_amount_per_day = "5000 {names.currency}"'
        table.refuse("most_amount_per_day is missing", example)
    money = amount(table, "most_amount_per_day", names)
    if money is None or not table.is_sound:
        return None
    return Holdout(share=released, most_per_day=count, most_amount_per_day=money)


def budget(file: Table) -> Budget | None:
    """The alerts that analysts can work; None where the section is absent or has a problem."""
    if "budget" not in file or (table := file.table("budget")) is None:
        return None
    table.expect("alerts_per_day", "review_minimum", "review_maximum")
    alerts = between(table, "alerts_per_day", 1, MOST_PER_DAY)
    low, high = (share(table, key, 1.0) for key in ("review_minimum", "review_maximum"))
    if table.is_sound and low > high:
        table.refuse("review_minimum is above review_maximum", at="review_minimum")
    return Budget(alerts_per_day=alerts, review_minimum=low, review_maximum=high) if table.is_sound else None


def check_budget(file: Table, policy: Policy) -> None:
    """The review threshold must not move beyond a decline threshold: the budget never touches declines."""
    if policy.budget is None:
        return
    for index, band in enumerate(policy.bands):
        if policy.budget.review_maximum > band.thresholds.decline:
            file.refuse(
                f"{policy.budget.review_maximum:g} is above the decline threshold {band.thresholds.decline:g} of bands[{index}]",
                "the budget moves review thresholds only",
                at=("budget", "review_maximum"),
            )
