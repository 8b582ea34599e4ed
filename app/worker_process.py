"""Runs Faust's worker on ``app.worker``: ``python -P -m app.worker_process LEVEL``.

``python -m faust -A app.worker`` looks for ``app`` in the working directory first, where another program may have a package of
that name. Here the package is imported before Faust looks for it.
"""

import sys


def run(level: str, *, quiet: bool = False) -> None:
    """Run until SIGTERM or Ctrl-C, then end the process. ``quiet`` leaves Faust's banner out."""
    from faust.cli.faust import cli  # noqa: PLC0415  # takes a second, and `fraudstream worker --help` imports this module

    options = ["--quiet"] if quiet else []
    # Faust's own default level, "warn", would override our settings.
    sys.argv = ["faust", "-A", "app.worker", *options, "worker", "--without-web", "-l", level]
    cli()


if __name__ == "__main__":
    run(sys.argv[1])
