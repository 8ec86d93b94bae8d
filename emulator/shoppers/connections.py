"""Connections to the collector: threads that post one event each, and bring back the answers."""

import threading
from queue import SimpleQueue

from emulator.posting.poster import Poster
from emulator.posting.response import Response
from emulator.shoppers.browser import Browser

__all__ = ["Connections"]


class Connections:
    """Each `post` leads to one answer in `answers`; close it in the end.

    Raises CommandError if the endpoint is no URL.
    """

    def __init__(self, endpoint: str, count: int) -> None:
        self.answers: SimpleQueue[tuple[Browser, Response]] = SimpleQueue()
        self._jobs: SimpleQueue[Browser | None] = SimpleQueue()
        self._open = count
        self._lock = threading.Lock()
        self._poster = Poster(endpoint, count)
        for _ in range(count):
            # Daemons, since one may wait half a minute for an answer that nobody needs any more.
            threading.Thread(target=self._work, name="shoppers-post", daemon=True).start()

    def post(self, browser: Browser) -> None:
        """Post the first event that waits in the browser; it has to stay the first one until it is answered."""
        self._jobs.put(browser)

    def close(self) -> None:
        """End the threads; the last one to have its answer closes the connections."""
        for _ in range(self._open):
            self._jobs.put(None)

    def _work(self) -> None:
        while (browser := self._jobs.get()) is not None:
            # One attempt: a thread must not wait while others' events could go.
            self.answers.put((browser, self._poster.attempt(browser.waiting[0])))
        with self._lock:
            self._open -= 1
            if not self._open:
                self._poster.close()
