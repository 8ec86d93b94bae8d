"""Raw objects written by hand, for the tests of validation: a good event, changed where a test says so."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import polars as pl

from analysis.checks.validation.evidence.describing import describe
from analysis.checks.validation.evidence.judged import Judged, judge
from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check
from chalicelib.envelope import iso_milliseconds
from chalicelib.keys import object_key

__all__ = ["START", "Objects"]

START = datetime(2026, 11, 25, 9, tzinfo=UTC)
STORED = START + timedelta(minutes=30)  # the LastModified of every object


class Objects:
    """Objects of one client's one session, a second apart, each a page view with the next `seq`."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self._count = 0

    def add(self, received: float | None = None, sent: float | None = None, **members: Any) -> str:
        """One more event, received and sent so many seconds after START; a member that is None is left out. Its key."""
        self._count += 1
        seconds = float(self._count) if received is None else received
        sent_at = START + timedelta(seconds=seconds if sent is None else sent)
        event = {
            "eventId": str(uuid5(NAMESPACE_URL, str(self._count))),
            "eventName": "page_view",
            "eventTimestamp": iso_milliseconds(sent_at),
            "pageUrl": "https://shop.example/",
            "referrer": "",
            "userId": "u",
            "clientId": "c",
            "sessionId": "s",
            "isFirstVisit": True,
            "tabId": "t",
            "seq": self._count,
            "dropped": {"overflow": 0, "refused": 0, "withheld": 0},
            **members,
        }
        payload = {name: value for name, value in event.items() if value is not None}
        received_at = START + timedelta(seconds=seconds)
        payload["_ingest"] = {"receivedAt": iso_milliseconds(received_at)}
        return self.put(json.dumps(payload), received_at)

    def put(self, body: str | bytes, hour: datetime = START) -> str:
        """Any object, in that hour. Its key."""
        key = object_key(hour, uuid5(NAMESPACE_URL, f"object {len(self.bodies):06}"))
        self.bodies[key] = body.encode() if isinstance(body, str) else body
        return key

    def write(self, bucket: Path) -> Path:
        """Write all of them into a bucket's directory, as stored at STORED; gives that."""
        for key, body in self.bodies.items():
            path = bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            os.utime(path, (STORED.timestamp(), STORED.timestamp()))
        return bucket

    @property
    def described(self) -> pl.DataFrame:
        """One row for each object, as the checks read it."""
        return self.describe()

    @property
    def events(self) -> Parts:
        """Those of the first object of each event."""
        return self.judged().events

    def describe(self, price_decimals: int = 0) -> pl.DataFrame:
        """One row for each object, in the range and not young."""
        described = describe(self.bodies.items(), lambda _key: STORED, price_decimals)
        return described.with_row_index("number").with_columns(is_here=True, is_young=False)

    def judged(self, price_decimals: int = 0) -> Judged:
        """The events and the duplicates."""
        described = Parts.of(self.describe(price_decimals))
        return judge(described, described.where(pl.lit(False)))  # noqa: FBT003  # none came earlier

    @staticmethod
    def findings(checks: list[Check], name: str) -> list[dict[str, object]]:
        """What the check of that name found; no other may have found anything."""
        by_name = {check.name: check.findings for check in checks}
        found = by_name.pop(name)
        assert not any(by_name.values()), by_name
        return found
