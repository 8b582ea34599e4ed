"""M8: a worker trusts its clock: it is not compared with the brokers'."""

from app.streaming.monitoring.clock_watch import ClockWatch
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

sabotage(ClockWatch, "check", lambda _: None)
