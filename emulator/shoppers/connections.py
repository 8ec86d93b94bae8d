"""Connections to the collector: threads that post one event at a time, and queue the responses."""

import threading
from queue import SimpleQueue

from emulator.posting.poster import Poster
from emulator.posting.response import Response
from emulator.shoppers.browser import Browser

__all__ = ["Connections"]


class Connections:
    """Posts events in `count` threads; each `post` leads to one entry in `responses`. Close it at the end.

    Raises:
        CommandError: The endpoint is not a URL.
    """

    def __init__(self, endpoint: str, count: int) -> None:
        self.responses: SimpleQueue[tuple[Browser, Response]] = SimpleQueue()
        self._jobs: SimpleQueue[Browser | None] = SimpleQueue()
        self._open = count
        self._lock = threading.Lock()
        self._poster = Poster(endpoint, count)
        for _ in range(count):
            # Daemons, since a thread may wait half a minute for a response that nobody needs any more.
            threading.Thread(target=self._work, name="shoppers-post", daemon=True).start()

    def post(self, browser: Browser) -> None:
        """Post the first waiting event of the browser; it has to stay the first one until its response comes."""
        self._jobs.put(browser)

    def close(self) -> None:
        """End the threads after their current responses; the last one closes the connections."""
        for _ in range(self._open):
            self._jobs.put(None)

    def _work(self) -> None:
        while (browser := self._jobs.get()) is not None:
            # One attempt only: a thread must not wait for a retry while other events could be sent.
            self.responses.put((browser, self._poster.attempt(browser.waiting[0])))
        with self._lock:
            self._open -= 1
            if not self._open:
                self._poster.close()
