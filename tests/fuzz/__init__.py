"""Damaged input through every door: seeded generators, a supervised run, and the committed results of a million inputs each.

``python -m tests.fuzz --door NAME --inputs N --seed S`` runs one door. ``doors`` has the generators and decoders,
``supervisor`` contains crashes and hangs, ``coverage_guided`` runs the same doors under libFuzzer, and ``page`` writes the tables of
docs/data/damaged-input.md.
"""
