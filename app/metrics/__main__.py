"""Writes the page: ``python -m app.metrics > docs/metrics.md``."""

import sys

from app.metrics.page import markdown

sys.stdout.write(markdown())
