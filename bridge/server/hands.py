"""The threads in which calls over HTTP are done. None of them holds up the end of the program: one may wait for a disk that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def beside(call: Callable[[], T]) -> T:
    """What ``call`` returns, or raises, done in a thread of its own; how many there are at once, `bridge.server.guard` bounds."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(outcome: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile, and nobody waits any more
            loop.call_soon_threadsafe(lambda: None if done.cancelled() else outcome())

    def run() -> None:
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            tell(lambda error=error: done.set_exception(error))  # type: ignore[misc]
        else:
            tell(lambda: done.set_result(value))

    Thread(target=run, name="hitpoint call", daemon=True).start()
    return await done
