"""The exchange of the policy while the worker runs: checked beside the running one, swapped between two chunks, or refused whole."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import structlog

from app.domain.bounded import cut
from app.domain.control import Orders
from app.domain.orders.policy_order import PolicyOrder, PolicyReport, policy_id
from app.domain.outcomes.policy import PolicyReference
from app.errors import PolicyRejected
from app.metrics import Metrics
from app.processing.policy_run import LoadedPolicy

_log = structlog.get_logger("policy")


class WantedPolicy(NamedTuple):
    """A policy to run: ``name/version`` and the digest of its content; an empty digest accepts any content."""

    policy: str
    digest: str = ""

    @classmethod
    def of(cls, reference: PolicyReference) -> "WantedPolicy":
        return cls(policy_id(reference), reference.digest)


class PolicyTerms(NamedTuple):
    """What a switch works with."""

    default: str
    """``name/version`` of the policy without an order; empty for none."""
    load: Callable[[WantedPolicy], LoadedPolicy]
    """Loads and checks a policy. Raises PolicyRejected."""
    on_swap: Callable[[LoadedPolicy | None], None]
    """Another policy decides from the next chunk on. Called in the event loop, so never within a chunk; at the start too."""


class PolicySwitch:
    """Keeps the policy as ordered."""

    def __init__(self, terms: PolicyTerms, metrics: Metrics) -> None:
        self._terms = terms
        self._metrics = metrics
        self._running: LoadedPolicy | None = None
        self._refused = ""
        self._demoted: dict[str, None] = {}

    async def start(self, orders: Orders) -> None:
        """Load the first policy.

        Where the ordered one is refused, the one before it decides, as on workers that were running when the order came. Raises
        PolicyRejected where that, or the policy of the settings, is refused as well: without its policy a worker must not decide.
        """
        order = orders.policy
        try:
            self._use(await self._loaded(self._wanted(order)))
        except PolicyRejected as error:
            if order is None:
                raise
            self._refuse(order, error)
            before = None if order.previous is None else WantedPolicy.of(order.previous)
            self._use(await self._loaded(before))

    async def follow(self, order: PolicyOrder | None) -> None:
        """Run the ordered policy, or keep the running one and record why the order is refused."""
        try:
            wanted = self._wanted(order)
            if not self._runs(wanted):
                self._use(await self._loaded(wanted))
                self._metrics.count("policy_changes_total", result="swapped")
            self._refused = ""
        except PolicyRejected as error:
            self._refuse(order, error)
            self._metrics.count("policy_changes_total", result="refused")

    def report(self) -> PolicyReport:
        """The policy, for the worker's report."""
        runs = None if self._running is None else self._running.reference
        return PolicyReport(
            runs=runs, refused=cut(self._refused), demoted=[cut(rule) for rule in self._demoted]
        )

    def demoted(self, rules: list[str]) -> None:
        """Note rules that have exceeded their hit rate."""
        self._demoted |= dict.fromkeys(rules)

    def _wanted(self, order: PolicyOrder | None) -> WantedPolicy | None:
        if order is not None:
            return None if order.policy is None else WantedPolicy.of(order.policy)
        return WantedPolicy(self._terms.default) if self._terms.default else None

    async def _loaded(self, wanted: WantedPolicy | None) -> LoadedPolicy | None:
        return None if wanted is None else await asyncio.to_thread(self._terms.load, wanted)

    def _runs(self, wanted: WantedPolicy | None) -> bool:
        if wanted is None or self._running is None:
            return wanted is None and self._running is None
        running = self._running.reference
        return wanted.policy == policy_id(running) and wanted.digest in {"", running.digest}

    def _use(self, loaded: LoadedPolicy | None) -> None:
        self._running, self._demoted = loaded, {}
        self._terms.on_swap(loaded)
        _log.info("policy", policy=policy_id(None if loaded is None else loaded.reference))

    def _refuse(self, order: PolicyOrder | None, error: PolicyRejected) -> None:
        self._refused = str(error)
        ordered = self._terms.default if order is None else policy_id(order.policy)
        _log.error("policy_refused", policy=ordered, reason=self._refused)
