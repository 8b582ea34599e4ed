"""Composition root of a worker process: `faust -A app.worker worker`, or `fraudstream worker`."""

import sys

import mode.loop

from app.settings import Settings
from app.streaming.faust_app import build_app

if sys.platform != "win32":
    mode.loop.use("uvloop")  # before the app: mode binds to the loop's policy

app = build_app(Settings.from_env())
