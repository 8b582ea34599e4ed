"""The command line: one module per command, each a thin layer over the package that does the work.

Commands are in folders by user: ``operate``, ``data``, ``models``, ``audit``; ``shared`` has what several of them use.
A command imports what it needs when it runs, so that ``--help`` answers at once. ``app.cli`` assembles them.
"""
