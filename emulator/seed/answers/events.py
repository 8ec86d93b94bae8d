"""The events of a metric, in order, by visitor and by session."""

from collections.abc import Iterable

from emulator.seed.answers.table import grouped
from emulator.seed.record import Record, Visitor

__all__ = ["Events"]


class Events:
    """The first received record of each event id, ordered by time, then as the clock says.

    `visitors`, `sessions` and `products` hold the same records by visitor, by session and by product; records without
    one are left out there.

    Args:
        records: Records of a history, in any order.
        login_state: Keep only the events of this login state; None: all events.
        zone: The IANA name of the time zone whose hours and days count; also an attribute.
        clock: `received`: an event's time is its receipt, and events with the same time are ordered by event id.
            `occurred`: its time is when it happened, and they are ordered by client, tab, `seq` and event id.
    """

    def __init__(
        self,
        records: Iterable[Record],
        login_state: str | None = None,
        zone: str = "UTC",
        clock: str = "received",
    ) -> None:
        self.zone = zone
        first: dict[str, Record] = {}
        for record in sorted(records, key=lambda record: (record.time, record.event_id)):
            first.setdefault(record.event_id, record)
        counted = [record for record in first.values() if login_state in (None, record.login_state)]
        if clock == "occurred":
            counted = sorted((record._replace(time=record.occurred) for record in counted), key=_place)
        self.all = counted
        with_visitor = (record for record in self.all if record.visitor is not None)
        self.visitors: dict[Visitor, list[Record]] = grouped(with_visitor, lambda record: record.visitor)  # type: ignore[arg-type, return-value]
        with_session = (record for record in self.all if record.session_id is not None)
        self.sessions: dict[str, list[Record]] = grouped(with_session, lambda record: record.session_id)  # type: ignore[arg-type, return-value]
        with_product = (record for record in self.all if record.product_id is not None)
        self.products: dict[str, list[Record]] = grouped(with_product, lambda record: record.product_id)  # type: ignore[arg-type, return-value]


def _place(record: Record) -> tuple[int, str, str, int, str]:
    """Return what orders records by occurrence; who has no client, tab or `seq` comes first."""
    return record.time, record.client_id or "", record.tab_id or "", record.seq or 0, record.event_id
