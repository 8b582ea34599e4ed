"""What a tree costs for each row: a bound on the work of an expression that is known before it runs.

One unit stands for one node in the scalar back-end; `python -m bench.expressions` measures the time of whole conditions.
"""

from app.expressions import tree
from app.expressions.tree import Operation, Tree, parts

_IN_LIST = 5
"""The entries of a list are not in the cache of the processor."""
_CLOCK = 5
"""Of hour and weekday: a search in the table of the time zone."""


def cost(found: Tree) -> int:
    """Units of work for each row: one for each node, more for what takes longer."""
    return _own(found) + sum(map(cost, parts(found)))


def _own(found: Tree) -> int:
    if isinstance(found, tree.InList):
        return _IN_LIST
    if isinstance(found, tree.Apply) and found.operation in {Operation.HOUR, Operation.WEEKDAY}:
        return _CLOCK
    return 1
