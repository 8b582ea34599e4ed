"""A worker application that delays its stop until its group has rebalanced."""

import asyncio

from app.worker import app

MOST_SECONDS = 20.0

_rebalanced = asyncio.Event()
_on_rebalance, _on_stop = app._on_rebalance_when_stopped, app.on_stop


def _note_rebalance() -> None:
    _on_rebalance()
    _rebalanced.set()


async def _stop_later() -> None:
    async with asyncio.timeout(MOST_SECONDS):
        await _rebalanced.wait()
    await _on_stop()


vars(app).update(_on_rebalance_when_stopped=_note_rebalance, on_stop=_stop_later)
