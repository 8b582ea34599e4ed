"""The clock of one process, set while it runs (libfaketime). Its monotonic clock stays true, as after a step of the system's."""

from pathlib import Path

from tests.chaos.lab.isolation import FAKETIME


class Clock:
    """A wall clock that differs from the machine's."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """Be so many seconds ahead of the machine's clock from now on; negative: behind."""
        self._file.write_text(f"{seconds:+.1f}\n", encoding="ascii")

    def environment(self) -> dict[str, str]:
        """Return the environment of a process with this clock."""
        return {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds between two looks at the file
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
