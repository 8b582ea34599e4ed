"""A policy is exchanged as ordered, or the running one stays and the report gives the reason."""

from types import SimpleNamespace
from typing import cast

import pytest

from app.adapters.observability.prometheus import PrometheusMetrics
from app.domain.control import Orders
from app.domain.orders.policy_order import PolicyOrder
from app.domain.outcomes.policy import PolicyReference
from app.errors import PolicyRejected
from app.processing.policy_run import LoadedPolicy
from app.streaming.control.policy import PolicySwitch, PolicyTerms, WantedPolicy

FIRST, SECOND, BROKEN = (
    PolicyReference(name="desk", version=version, digest=f"d{version}") for version in "123"
)


class Switched:
    """A switch over policies of which one cannot be loaded, and what decided one after the other."""

    def __init__(self, default: str = "") -> None:
        self.used: list[str] = []
        self.switch = PolicySwitch(PolicyTerms(default, self.load, self.use), PrometheusMetrics())

    def load(self, wanted: WantedPolicy) -> LoadedPolicy:
        found = {f"desk/{one.version}": one for one in (FIRST, SECOND)}.get(wanted.policy)
        if found is None or wanted.digest not in {"", found.digest}:
            raise PolicyRejected(f"{wanted.policy} is broken")
        return cast(LoadedPolicy, SimpleNamespace(reference=found))

    def use(self, loaded: LoadedPolicy | None) -> None:
        self.used.append("none" if loaded is None else loaded.reference.version)

    async def start(self, order: PolicyOrder | None = None) -> "Switched":
        await self.switch.start(Orders(policy=order))
        return self


def ordered(policy: PolicyReference | None, previous: PolicyReference | None = None) -> PolicyOrder:
    return PolicyOrder(policy=policy, previous=previous, ordered_at=5)


async def test_without_an_order_the_policy_of_the_settings_decides() -> None:
    assert (await Switched().start()).used == ["none"]
    assert (await Switched("desk/1").start()).used == ["1"]


async def test_an_order_is_followed_once_and_its_withdrawal_returns_to_the_settings() -> None:
    worker = await Switched("desk/1").start()
    for order in (ordered(SECOND), ordered(SECOND), ordered(None), None):
        await worker.switch.follow(order)

    assert worker.used == ["1", "2", "none", "1"]
    assert worker.switch.report().runs == FIRST


@pytest.mark.parametrize("refused", [BROKEN, PolicyReference(name="desk", version="2", digest="other")])
async def test_a_refused_policy_leaves_the_running_one_and_is_reported(refused: PolicyReference) -> None:
    worker = await Switched("desk/1").start()

    await worker.switch.follow(ordered(refused))
    assert worker.used == ["1"]
    assert (worker.switch.report().runs, "is broken" in worker.switch.report().refused) == (FIRST, True)

    await worker.switch.follow(ordered(SECOND))
    assert (worker.switch.report().runs, worker.switch.report().refused) == (SECOND, "")


async def test_a_start_with_a_refused_order_runs_the_policy_before_it() -> None:
    worker = await Switched("desk/1").start(ordered(BROKEN, previous=SECOND))

    assert worker.used == ["2"]
    assert worker.switch.report().refused


async def test_a_worker_without_its_policy_does_not_start() -> None:
    for default, order in (("desk/3", None), ("", ordered(BROKEN, previous=BROKEN))):
        with pytest.raises(PolicyRejected):
            await Switched(default).start(order)


async def test_demoted_rules_are_reported_until_another_policy_decides() -> None:
    worker = await Switched("desk/1").start()
    worker.switch.demoted(["busy", "loud"])
    worker.switch.demoted(["busy"])

    assert worker.switch.report().demoted == ["busy", "loud"]
    await worker.switch.follow(ordered(SECOND))
    assert worker.switch.report().demoted == []
