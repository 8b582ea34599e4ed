"""Composition root of a worker process: `faust -A app.worker worker`, or `fraudstream worker`."""

import gc
import sys

gc.disable()  # imports leave almost no garbage, and looking for it takes a sixth of their time; on again at the start

import mode.loop  # noqa: E402  # see above

from app.settings import Settings  # noqa: E402
from app.streaming.faust_app import build_app  # noqa: E402

if sys.platform != "win32":
    mode.loop.use("uvloop")  # before the app: mode binds to the loop's policy

app = build_app(Settings.from_env())
gc.freeze()  # the first collection need not look at what stays for good
