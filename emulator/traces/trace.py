"""The trace of one event: its way from the browser to its row, as far as it has come."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from chalicelib.contract import COLUMNS
from chalicelib.convert import to_bigint, to_text, to_timestamp
from chalicelib.envelope import iso_milliseconds
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import row_of
from chalicelib.json_object import decode, parse
from emulator.triggers.notification import File

__all__ = ["LATE_SECONDS", "STATES", "WAITING", "Trace", "refused_trace", "stored_trace"]

LATE_SECONDS = 3.0
DAY_SECONDS = 86_400.0
STATES = ("stored", "failed", "row", "duplicate", "erased", "rejected", "gone", "refused")
WAITING = ("stored", "failed")  # states of an object that the projector still has to project


@dataclass(frozen=True, slots=True)
class Trace:
    """One stored object, or one refused request. All times are seconds since 1970 (UTC).

    `state` is one of:
        stored: the object waits for the projector.
        failed: the projector failed, and will try again.
        row: the object became a row.
        duplicate: the row of its event id comes from another object.
        erased: the object belongs to a person who was erased, so it gets no row.
        rejected: the object is not a valid event; the reject says why.
        gone: the object was deleted before the projector read it.
        refused: ingest refused the request and stored nothing.
    """

    id: str
    state: str
    event_id: str | None = None
    event_name: str | None = None
    session_id: str | None = None
    client_id: str | None = None
    tab_id: str | None = None
    user_id: str | None = None
    seq: int | None = None
    product_name: str | None = None
    key: str | None = None
    reason: str | None = None
    status: int | None = None
    deliveries: int = 0
    sent_at: float | None = None
    accepted_at: float | None = None
    stored_at: float | None = None
    projected_at: float | None = None
    row_at: float | None = None
    revision: int = 0

    @property
    def is_late(self) -> bool:
        """Whether more than LATE_SECONDS passed from sending to acceptance, or from acceptance to the row."""
        steps = ((self.sent_at, self.accepted_at), (self.accepted_at or self.stored_at, self.row_at))
        return any(start is not None and end is not None and end - start > LATE_SECONDS for start, end in steps)

    @property
    def milliseconds(self) -> float | None:
        """Milliseconds from sending the event to its row; None without a row.

        The time starts at acceptance (or at storing, if that is unknown) if the event claims to be sent in the future
        or more than a day before: such times tell about a wrong clock or an import, not about this stack.
        """
        received_at = self.accepted_at or self.stored_at
        if self.row_at is None or received_at is None:
            return None
        is_plausible = self.sent_at is not None and 0 <= received_at - self.sent_at <= DAY_SECONDS
        return (self.row_at - (self.sent_at if is_plausible and self.sent_at else received_at)) * 1000

    def without_person(self) -> "Trace":
        """Return the trace without what tells whose event it is."""
        return replace(self, session_id=None, client_id=None, tab_id=None, user_id=None, product_name=None)

    def as_json(self) -> dict[str, Any]:
        """Return the trace as the API and the pipeline view show it; times are ISO-8601, UTC, with milliseconds."""
        return {
            "id": self.id,
            "eventId": self.event_id,
            "eventName": self.event_name,
            "sessionId": self.session_id,
            "clientId": self.client_id,
            "tabId": self.tab_id,
            "userId": self.user_id,
            "seq": self.seq,
            "productName": self.product_name,
            "key": self.key,
            "state": self.state,
            "reason": self.reason,
            "status": self.status,
            "isLate": self.is_late,
            "deliveries": self.deliveries,
            "sentAt": _iso(self.sent_at),
            "acceptedAt": _iso(self.accepted_at),
            "storedAt": _iso(self.stored_at),
            "projectedAt": _iso(self.projected_at),
            "rowAt": _iso(self.row_at),
        }


def stored_trace(bucket: Path, file: File) -> Trace | None:
    """Return the trace of an object just stored below the directory `bucket`; None if it is deleted already."""
    stored_at = file.changed / 1e9
    try:
        body = (bucket / file.key).read_bytes()
    except OSError:
        return None
    try:
        payload = parse(decode(body))
    except InvalidEvent:  # the projector will give the reason
        return Trace(file.key, "stored", key=file.key, stored_at=stored_at)
    row = dict(
        zip(
            (column.name for column in COLUMNS),
            row_of(payload, file.key, datetime.fromtimestamp(stored_at, UTC)),
            strict=True,
        )
    )
    ingest = payload.get("_ingest")
    accepted_at = _seconds(to_timestamp(ingest.get("receivedAt"))) if isinstance(ingest, dict) else None
    return Trace(
        file.key,
        "stored",
        key=file.key,
        event_id=str(row["event_id"]),
        event_name=_text(row["event_name"]),
        session_id=_text(row["session_id"]),
        client_id=_text(row["client_id"]),
        user_id=_text(row["user_id"]),
        product_name=_text(row["context_product_name"]),
        tab_id=to_text(payload.get("tabId")),
        seq=to_bigint(payload.get("seq")),
        sent_at=_seconds(to_timestamp(payload.get("eventTimestamp") or payload.get("event_timestamp"))),
        accepted_at=accepted_at,
        # The clock of file times is coarse: it may be some milliseconds behind.
        stored_at=max(stored_at, accepted_at or 0),
    )


def refused_trace(status: int, reason: str, at: float) -> Trace:
    """Return the trace of a request that ingest refused at a time in seconds since 1970 (UTC)."""
    return Trace(f"refused-{uuid4()}", "refused", status=status, reason=reason, accepted_at=at)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _iso(seconds: float | None) -> str | None:
    try:
        return None if seconds is None else iso_milliseconds(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError):  # a client may send the end of the year 9999, which is rounded up
        return None
