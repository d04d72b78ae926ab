"""Signals: the first asks for a graceful stop, the second for a hard one, the third ends the process."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from stanchion.cli import exits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_HARD: Final = 2


class Stop:
    """What the signals asked for so far; `asked` is set by the first."""

    def __init__(self, say: Callable[[str], None], text: str) -> None:
        self.asked = asyncio.Event()
        self.count = 0
        self.on_hard: Callable[[], None] = _nothing
        self._say, self._text = say, text

    @property
    def hard(self) -> bool:
        """Whether a second signal came."""
        return self.count >= _HARD

    def signalled(self) -> None:
        """Take one more signal."""
        self.count += 1
        if self.count == 1:
            self._say(self._text)
            self.asked.set()
        elif self.count == _HARD:
            self._say("stopping now; what runs is given back")
            self.on_hard()
        else:
            os._exit(exits.INTERRUPTED)


@contextmanager
def on_signals(say: Callable[[str], None], text: str) -> Generator[Stop]:
    """Turn SIGINT and SIGTERM into a `Stop` while the block runs; needs a running loop.

    Args:
        say: Tells people.
        text: What the first signal makes it say.
    """
    stop = Stop(say, text)
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.signalled)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _nothing() -> None:
    """Nothing more to end."""
