"""Writes the table: ``python -m tests.contract.doors > docs/data/one-contract.md``."""

import sys

from tests.contract.doors.table import page

sys.stdout.write(page())
