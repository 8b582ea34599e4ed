"""Hours under a kill every ten minutes: memory, disk, handles and threads must stay flat. ``python -m tests.chaos.soak``.

Start reading in `growth`, which judges the samples that `sampling` takes; `play` is the scenario.
"""
