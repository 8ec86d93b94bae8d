"""A visitor of the Next.js shop, and what the pipeline has of the visit."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage

from tests.support.stack_process import StackProcess, wait_for

__all__ = ["Visit"]

Event = dict[str, Any]
QUIET_SECONDS = 0.7


class Visit:
    """One new visitor in a tab of their own, in which nothing may go wrong unnoticed."""

    def __init__(
        self, context: BrowserContext, url: str, stack: StackProcess, *, consent: str | None = "granted"
    ) -> None:
        self.url = url
        self.faults: list[str] = []
        self._stack = stack
        self._seen = 0
        context.set_default_timeout(15_000)
        if consent:
            context.add_init_script(f"localStorage['shop.consent'] ??= '\"{consent}\"'")
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._hear)

    def open(self, path: str) -> None:
        """Load a page from the server, and wait until it is there."""
        self.page.goto(f"{self.url}{path}")
        self.page.wait_for_selector("h1")

    def click(self, selector: str) -> None:
        """Click on what the visitor sees: Next.js keeps pages that were left, hidden."""
        self.page.click(f"{selector} >> visible=true")

    def follow(self, link: str, heading: str) -> None:
        """Click on a link, and wait for the page with this heading."""
        self.click(f"a:text-is('{link}')")
        self.wait_for_heading(heading)

    def back(self, heading: str) -> None:
        """Go back, to the page with this heading."""
        self.page.go_back()
        self.wait_for_heading(heading)

    def forward(self, heading: str) -> None:
        """Go forward, to the page with this heading."""
        self.page.go_forward()
        self.wait_for_heading(heading)

    def wait_for_heading(self, heading: str) -> None:
        """Wait until the page with this heading is shown."""
        self.page.wait_for_selector(f"h1:visible:text-is('{heading}')")

    def new_events(self, count: int) -> list[Event]:
        """The raw events since the last time, once there are that many of them, and no more come."""
        wait_for(lambda: len(self.events()) >= self._seen + count, 20)
        time.sleep(QUIET_SECONDS)
        events = self.events()[self._seen :]
        self._seen += len(events)
        return events

    def expect(self, *expected: str) -> list[Event]:
        """The new events are exactly these, each as `name path` and the id of its product."""
        events = self.new_events(len(expected))
        lines = [self._line(event) for event in events]
        assert lines == list(expected), "\n".join(lines)
        self._expect_rows()
        return events

    def events(self) -> list[Event]:
        """All raw events of the visitor, in their order. One that was sent again for want of an answer counts once."""
        client_id = self.page.evaluate("localStorage['clickstream.client']")
        events = [json.loads((self._stack.bucket / key).read_bytes()) for key in self._stack.raw_keys()]
        unique = {event["eventId"]: event for event in events if event["clientId"] == client_id}
        return sorted(unique.values(), key=lambda event: event["seq"])

    def stored_keys(self) -> list[str]:
        """What the publisher has stored in the browser."""
        keys: list[str] = self.page.evaluate(
            "[localStorage, sessionStorage].flatMap(Object.keys).filter(key => key.startsWith('clickstream.'))"
        )
        return keys

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _expect_rows(self) -> None:
        """The warehouse has each event once."""
        events = self.events()
        wanted = sorted((event["eventId"], event["eventName"], event["userId"]) for event in events)
        query = "SELECT event_id::text, event_name, user_id FROM clickstream_events WHERE client_id = %s"
        wait_for(lambda: sorted(self._stack.ask(query, events[0]["clientId"])) == wanted, 20)

    @staticmethod
    def _line(event: Event) -> str:
        address = urlsplit(event["pageUrl"])
        path = address.path + (f"?{address.query}" if address.query else "")
        thing = event.get("product", {}).get("id") or event.get("product", {}).get("category")
        return " ".join(filter(None, [event["eventName"], path, thing]))
