"""Scenarios between machines: every broker and worker is a host of its own, in network namespaces of this machine.

``python -m tests.chaos --lab SCENARIO --seed S``. Start reading in `isolation`, which makes the namespaces, and `network`, which
makes hosts and cuts; `lab_run` is what scenarios act on. Traffic, oracle and verdict are those of `tests.chaos`.
"""
