"""Ctrl-C and its kin: the first one stops cleanly, the second one at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kozmo_runner.process import Cancel

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def listening(cancel: Cancel) -> Iterator[Cancel]:
    """Turn signals into requests of *cancel* while the block runs; only the main thread can.

    What is ignored stays ignored: nohup and shells that put a job in the background mean it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return

    def ask(number: int, _: object) -> None:
        cancel.request("interrupted" if number == signal.SIGINT else signal.Signals(number).name)

    heard = [number for number in _NUMBERS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in heard}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
