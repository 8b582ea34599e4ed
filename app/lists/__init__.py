"""Lists of rules: the records of ``fraud.lists.v1``, and the state that they make in the memory of a worker. Pure and compiled.

Start with ``state``, the fold of the log, and ``view``, which conditions look entries up in. ``table`` holds the entries and
``probe`` is its compiled part.
"""
