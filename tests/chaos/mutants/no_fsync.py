"""M9: small files are renamed without being written to the disk first."""

from app.adapters.disk.durable_file import Disk
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

sabotage(Disk, "sync", lambda *_: None)
