"""The events of a metric, in order, by visitor and by session."""

from collections.abc import Iterable

from emulator.seed.answers.table import grouped
from emulator.seed.record import Record, Visitor

__all__ = ["Events"]


class Events:
    """The first received record of each event id, ordered by time and event id.

    `visitors` and `sessions` hold the same records by visitor and by session; records without one are left out there.

    Args:
        records: Records of a history, in any order.
        login_state: Keep only the events of this login state; None: all events.
        zone: The IANA name of the time zone whose hours and days count; also an attribute.
    """

    def __init__(self, records: Iterable[Record], login_state: str | None = None, zone: str = "UTC") -> None:
        self.zone = zone
        first: dict[str, Record] = {}
        for record in sorted(records, key=lambda record: (record.time, record.event_id)):
            first.setdefault(record.event_id, record)
        self.all = [record for record in first.values() if login_state in (None, record.login_state)]
        with_visitor = (record for record in self.all if record.visitor is not None)
        self.visitors: dict[Visitor, list[Record]] = grouped(with_visitor, lambda record: record.visitor)  # type: ignore[arg-type, return-value]
        with_session = (record for record in self.all if record.session_id is not None)
        self.sessions: dict[str, list[Record]] = grouped(with_session, lambda record: record.session_id)  # type: ignore[arg-type, return-value]
