"""Which tests of a module run in one process of a parallel run."""

from functools import cache

from tests.support.paths import REPOSITORY

SHORT = ("tests/unit/", "tests/contract/")


def stays_together(nodeid: str) -> bool:
    """Whether the module of a test has tests that share a fixture, or only short ones."""
    return _stays_together(nodeid.partition("::")[0])


@cache
def _stays_together(module: str) -> bool:
    return module.startswith(SHORT) or 'scope="module"' in (REPOSITORY / module).read_text(encoding="utf-8")
