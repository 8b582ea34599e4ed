"""How pytest-xdist distributes tests to its processes."""

from xdist.scheduler import LoadScopeScheduling

from tests.support.together import stays_together


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """One test at a time, but a module that `stays_together` as a whole.

    ``--dist loadgroup`` does not work: pytest 9.2 has made node ids read-only, and pytest-xdist 3.8 loses its groups.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if stays_together(nodeid) else nodeid
