"""The command line: one module per command, each a thin layer over the package that does the work.

A command imports what it needs when it runs, so that ``--help`` answers at once. ``app.cli`` assembles them.
"""
