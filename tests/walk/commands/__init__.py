"""What every command of the pages needs, and how it is run where it has place holders.

A command without an entry fails a test. Keys are the commands as the pages write them, without comments.
"""

import re

from tests.walk.commands.elsewhere import ELSEWHERE
from tests.walk.commands.of_files import OF_FILES
from tests.walk.commands.of_models import OF_MODELS
from tests.walk.commands.of_the_guide import OF_THE_GUIDE
from tests.walk.commands.set_up import SET_UP
from tests.walk.entries import Entry, elsewhere
from tests.walk.pages import Step

SETTING = re.compile(r"^[A-Z][A-Z0-9_]*=\S*$")
A_SETTING = elsewhere("a line of an environment file, whose name and value other tests check")

COMMANDS: dict[str, Entry] = SET_UP | OF_FILES | OF_THE_GUIDE | OF_MODELS | ELSEWHERE


def entry(step: Step) -> Entry | None:
    """What the walk does with a step; None for a command that is in no class."""
    return A_SETTING if SETTING.match(step.command) else COMMANDS.get(step.command)
