"""Runs the commands of one class in the order of the pages, each once."""

import re
from collections.abc import Iterable, Iterator

from tests.walk.commands import entry
from tests.walk.entries import Entry, Needs
from tests.walk.pages import Step, steps
from tests.walk.shell import Done, Shell

SECONDS = 150.0
UNWANTED = re.compile(r"Traceback|\w*Warning:|\x1b\[")
"""Tracebacks, warnings of Python, and colours: what commands print here goes to files."""


class CommandFails(AssertionError):
    """A command of a page does not do what the page says."""


def of_class(needs: Iterable[Needs]) -> Iterator[tuple[Step, Entry]]:
    """The steps that need one of these, each command once."""
    wanted, seen = set(needs), set[str]()
    for step in steps():
        found = entry(step)
        if found is not None and found.needs in wanted and step.command not in seen:
            seen.add(step.command)
            yield step, found


class Walker:
    """Runs steps in a shell and keeps what later ones need."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._found: dict[str, str] = {}

    def run(self, step: Step, how: Entry) -> Done:
        """Run a step. Raises CommandFails with the page, the command and its output."""
        command = re.sub(r"\{(\w+)\}", lambda name: self._found[name[1]], how.runs or step.command)
        done = self._shell.run(command, SECONDS)
        printed = done.output + done.errors
        if done.code not in how.codes or not re.search(how.says, printed) or UNWANTED.search(printed):
            raise CommandFails(f"{step.page}: `{command}`: {done}")
        for name, pattern in how.finds.items():
            match = re.search(pattern, done.output)
            if match is None:
                raise CommandFails(f"{step.page}: `{command}` prints no {name}: {done}")
            self._found[name] = match[1]
        return done

    def check_all_output(self) -> None:
        """Raises CommandFails where a command, also one in the background, has printed what no user should see."""
        for text in self._shell.printed():
            if found := UNWANTED.search(text):
                raise CommandFails(text[max(0, found.start() - 2000) : found.end() + 2000])
