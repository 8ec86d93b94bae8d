"""Which event follows which in a session: the section "Paths" of docs/metrics.md."""

from collections import Counter
from itertools import pairwise

from tests.support.plain_metrics.history import Events, Row

__all__ = ["paths"]


def paths(events: Events, limit: int | None = None, *, clicks: bool = False) -> list[Row]:
    pairs: Counter[tuple[str, str]] = Counter()
    for session in events.sessions.values():
        pairs.update(pairwise(event.name for event in session if clicks or event.name != "click"))
    outgoing: Counter[str] = Counter()
    for (origin, _), transitions in pairs.items():
        outgoing[origin] += transitions
    rows: list[Row] = [
        {"from_event": origin, "to_event": to, "transitions": transitions, "share": transitions / outgoing[origin]}
        for (origin, to), transitions in pairs.items()
    ]
    return sorted(rows, key=lambda row: (-row["transitions"], row["from_event"], row["to_event"]))[:limit]
