"""A value that tells where it is looked at, for tests of what must not hold up the server."""

import threading


class Tells:
    """Becomes the text "told", and notes in which thread."""

    def __init__(self):
        self._threads = set()

    def __str__(self):
        self._threads.add(threading.current_thread())
        return "told"

    def aside(self):
        """Whether that was done, and never in the thread of the loop."""
        return bool(self._threads) and threading.main_thread() not in self._threads
