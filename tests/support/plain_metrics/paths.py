"""Which event follows which in a session: the section "Paths" of docs/metrics.md."""

from collections import Counter
from itertools import groupby, pairwise

from tests.support.plain_metrics.history import Events, Row

__all__ = ["path_links", "paths"]


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


def path_links(
    events: Events,
    node: str | None = None,
    direction: str = "from",
    steps: int = 3,
    limit: int | None = None,
    *,
    nodes: str = "page",
) -> list[Row]:
    links: Counter[tuple[int, str | None, str | None]] = Counter()
    for session in events.sessions.values():
        names = [
            event.origin.page_path if nodes == "page" else event.name for event in session if event.name != "click"
        ]
        path: list[str | None] = [name for name, _ in groupby(name for name in names if name is not None)]
        path = path[::-1] if direction == "to" else path
        if path and node is None:
            links.update(_links(path, steps))
        elif node in path:
            links.update(_links(path[path.index(node) :], steps))
    rows: list[Row] = [
        {
            "step": step,
            "from_node": here if direction == "from" else there,
            "to_node": there if direction == "from" else here,
            "sessions": sessions,
        }
        for (step, here, there), sessions in links.items()
    ]
    ends = ("from_node", "to_node")
    rows.sort(
        key=lambda row: (row["step"], -row["sessions"], *((row[end] is None, row[end] or "") for end in ends)),
    )
    return [row for _, each in groupby(rows, key=lambda row: row["step"]) for row in [*each][:limit]]


def _links(path: list[str | None], steps: int) -> list[tuple[int, str | None, str | None]]:
    """The links of a path, of which the last one leads out of the session."""
    return [(step, *link) for step, link in enumerate(pairwise([*path, None]), 1) if step <= steps]
