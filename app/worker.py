"""Composition root of a worker process: `faust -A app.worker worker`, or `fraudstream worker`."""

from app.settings import Settings
from app.streaming.engine import build_app

app = build_app(Settings.from_env())
