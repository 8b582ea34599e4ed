"""How pytest-xdist distributes tests to its processes."""

from collections.abc import Iterable, Mapping
from typing import Any

from xdist.scheduler import LoadScopeScheduling

from tests.support.together import stays_together


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """One test at a time, but a module that `stays_together` as a whole.

    ``--dist loadgroup`` does not work: pytest 9.2 has made node ids read-only, and pytest-xdist 3.8 loses its groups.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if stays_together(nodeid) else nodeid

    def remove_node(self, node: Any) -> str | None:
        """Return the test in which a process crashed, None if it ended by itself; its other tests run elsewhere.

        pytest-xdist 3.8 offers the crashed test again, together with all tests that the process has completed, and one
        unit only to the process that replaces it: a crash near the end of a run hangs the run or ends it unnamed.
        """
        crashed = first_open(self.assigned_work[node].values())
        rest = without(self.assigned_work[node], crashed)
        self.assigned_work[node] = {}
        super().remove_node(node)
        self.workqueue.update(rest)
        return crashed

    def schedule(self) -> None:
        """Distribute; a process that replaces a crashed one gets what is left when all others are about to end."""
        super().schedule()
        for node in self.nodes:
            while (
                self.workqueue and not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2
            ):
                self._assign_work_unit(node)
            if not self.workqueue:
                node.shutdown()


def first_open(units: Iterable[Mapping[str, bool]]) -> str | None:
    """The first test that is not completed."""
    return next((test for unit in units for test, completed in unit.items() if not completed), None)


def without(work: Mapping[str, Mapping[str, bool]], crashed: str | None) -> dict[str, dict[str, bool]]:
    """The units that have tests to run, without the test in which the process crashed."""
    left = {
        scope: {test: completed for test, completed in unit.items() if test != crashed}
        for scope, unit in work.items()
    }
    return {scope: unit for scope, unit in left.items() if not all(unit.values())}
