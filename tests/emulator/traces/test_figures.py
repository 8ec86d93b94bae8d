from emulator.traces.figures import Figures
from emulator.traces.trace import Trace, refused_trace


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def row(milliseconds: float) -> Trace:
    return Trace("a", "row", stored_at=1, row_at=1 + milliseconds / 1000)


class TestFigures:
    def test_each_trace_counts_by_its_last_state(self) -> None:
        """What was refused was not accepted."""
        figures = Figures()
        waiting = Trace("a", "stored")
        for state in ("row", "duplicate", "rejected", "failed", "stored"):
            figures.count(None, waiting)
            figures.count(waiting, Trace("a", state))
        figures.count(None, refused_trace(400, "no", 1))
        counted = figures.as_json()
        names = ("accepted", "rows", "duplicates", "rejected", "waiting", "failing", "refused", "late")
        assert [counted[name] for name in names] == [5, 1, 1, 1, 2, 1, 1, 0]

    def test_late_ones_are_counted_once(self) -> None:
        """However often they change afterwards."""
        figures = Figures()
        late = Trace("a", "row", accepted_at=1, row_at=9)
        figures.count(None, Trace("a", "stored", accepted_at=1))
        figures.count(Trace("a", "stored", accepted_at=1), late)
        figures.count(late, late)
        assert figures.as_json()["late"] == 1

    def test_events_per_second(self) -> None:
        """Those of the last ten seconds; refused ones do not count."""
        clock = Clock()
        figures = Figures(clock)
        for _ in range(20):
            figures.count(None, Trace("a", "stored"))
        figures.count(None, refused_trace(400, "no", 1))
        assert figures.as_json()["eventsPerSecond"] == 2
        clock.seconds += 10.1
        assert figures.as_json()["eventsPerSecond"] == 0

    def test_percentiles(self) -> None:
        """Of the time from end to end, over the last 1,000 rows; a repeated delivery is no other row."""
        figures = Figures()
        assert figures.as_json()["p50Ms"] is None
        figures.count(None, row(70))
        assert (figures.as_json()["p50Ms"], figures.as_json()["p95Ms"]) == (70, 70)
        figures.count(row(70), row(70))
        for milliseconds in range(101):
            for _ in range(10):
                figures.count(None, row(milliseconds))
        assert 50 <= figures.as_json()["p50Ms"] <= 51
        assert 95 <= figures.as_json()["p95Ms"] <= 96
