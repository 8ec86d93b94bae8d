"""The events that a metric is about, in order, and by visitor and by session."""

from collections.abc import Iterable

from emulator.seed.answers.table import grouped
from emulator.seed.record import Record, Visitor

__all__ = ["Events"]


class Events:
    """One record per event id, the first received, ordered by time and event id; of one login state, if one is given.

    `visitors` and `sessions` hold the same records, without those that have no visitor or session.
    """

    def __init__(self, records: Iterable[Record], login_state: str | None = None) -> None:
        first: dict[str, Record] = {}
        for record in sorted(records, key=lambda record: (record.time, record.event_id)):
            first.setdefault(record.event_id, record)
        self.all = [record for record in first.values() if login_state in (None, record.login_state)]
        with_visitor = (record for record in self.all if record.visitor is not None)
        self.visitors: dict[Visitor, list[Record]] = grouped(with_visitor, lambda record: record.visitor)  # type: ignore[arg-type, return-value]
        with_session = (record for record in self.all if record.session_id is not None)
        self.sessions: dict[str, list[Record]] = grouped(with_session, lambda record: record.session_id)  # type: ignore[arg-type, return-value]
