"""Our worker with Faust's recovery, record by record: `faust -A bench.contestants.stock_recovery worker`."""

import mode.loop
from faust.tables.manager import TableManager

from app.settings import Settings
from app.streaming.faust_app import build_app

mode.loop.use("uvloop")  # as app.worker does

app = build_app(Settings.from_env(), table_manager=TableManager)
