"""A shopper's browser: the state that the publisher keeps in it."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from chalicelib.envelope import iso_milliseconds
from emulator.shoppers.visit import Step

__all__ = ["CONTEXT", "Browser", "Event", "Session", "publisher"]

MOST_EVENTS = 1_000  # waiting events in one browser, as in the publisher
CONTEXT = {"timeZone": "Asia/Ho_Chi_Minh", "language": "vi-VN"}
PACKAGE = Path(__file__).parents[2] / "publisher" / "package.json"

Event = dict[str, Any]


@cache
def publisher() -> Mapping[str, str]:
    """The `publisher` of an event: the name and the version of its package."""
    package = json.loads(PACKAGE.read_text(encoding="utf-8"))
    return MappingProxyType({name: package[name] for name in ("name", "version")})


def _uuid() -> str:
    return str(uuid4())


@dataclass(eq=False, slots=True)
class Browser:
    """One client.

    Attributes:
        waiting: Events that have not been accepted yet, the oldest first.
        is_sending: Whether the first waiting event is under way, or waits for its next attempt.
        dropped: Numbers of dropped events, by reason.
        failures: Failed attempts to send the first waiting event.
        visits: Number of visits so far.
    """

    user_id: str
    client_id: str = field(default_factory=_uuid)
    waiting: deque[Event] = field(default_factory=deque)
    is_sending: bool = False
    dropped: dict[str, int] = field(default_factory=lambda: {"overflow": 0, "refused": 0, "withheld": 0})
    failures: int = 0
    visits: int = 0

    def keep(self, event: Event) -> Event | None:
        """Add a waiting event; if there are too many, drop and return the oldest one that is not under way."""
        self.waiting.append(event)
        if len(self.waiting) <= MOST_EVENTS:
            return None
        oldest = self.waiting[int(self.is_sending)]
        del self.waiting[int(self.is_sending)]
        self.dropped["overflow"] += 1
        return oldest

    def open_session(self) -> "Session":
        """Begin a new visit."""
        self.visits += 1
        return Session(self, is_first_visit=self.visits == 1)


@dataclass(slots=True)
class _Tab:
    tab_id: str = field(default_factory=_uuid)
    seq: int = 0


@dataclass(eq=False, slots=True)
class Session:
    """One visit of a browser; its tabs count their events."""

    browser: Browser
    is_first_visit: bool
    session_id: str = field(default_factory=_uuid)
    _tabs: dict[int, _Tab] = field(default_factory=dict)

    def event(self, step: Step, at: datetime | None = None) -> Event:
        """Make the event of a step that happens now, as the publisher would write it.

        Args:
            step: The step.
            at: What the browser's clock shows; None: the right time.
        """
        tab = self._tabs.setdefault(step.tab, _Tab())
        tab.seq += 1
        return {
            "eventId": _uuid(),
            "eventName": step.name,
            "eventTimestamp": iso_milliseconds(at or datetime.now(UTC)),
            "pageUrl": step.page_url,
            "referrer": step.referrer,
            "userId": step.user_id,
            "userLoginState": "logged_in" if step.user_id else "anonymous",
            "identitySource": "demo" if step.user_id else None,
            "clientId": self.browser.client_id,
            "sessionId": self.session_id,
            "isFirstVisit": self.is_first_visit,
            "tabId": tab.tab_id,
            "seq": tab.seq,
            "dropped": dict(self.browser.dropped),
            "publisher": dict(publisher()),
            "context": dict(CONTEXT),
            **step.payload,
        }
