import pytest

from analysis.checks.validation.clocks import clock_checks
from tests.support.raw_objects import START, Objects


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(clock_checks(objects.events), name)


class TestClockChecks:
    def test_clock_skew(self) -> None:
        """A client whose quickest event is off by more than a minute, either way; others are not touched by it."""
        objects = Objects()
        for seconds in (10, 20):
            objects.add(received=seconds, sent=seconds + 61, clientId="ahead")
            objects.add(received=seconds, sent=seconds - 61, clientId="behind")
            objects.add(received=seconds, sent=seconds - 60, clientId="fine")
        assert found(objects, "clock_skew") == [
            {"client_id": "ahead", "seconds": -61.0},
            {"client_id": "behind", "seconds": 61.0},
        ]

    def test_late_events(self) -> None:
        """They took over five minutes longer than the client's quickest event; a wrong clock changes nothing."""
        objects = Objects()
        objects.add(received=1000, sent=1000 - 50)
        objects.add(received=2000, sent=2000 - 350)
        key = objects.add(received=3000, sent=3000 - 351)
        assert found(objects, "late_events") == [{"key": key, "seconds": 301.0}]

    def test_events_without_client_or_time(self) -> None:
        """Say nothing of clocks."""
        objects = Objects()
        objects.add(sent=-9999, clientId=None)
        objects.add(eventTimestamp=None)
        objects.add(eventTimestamp="yesterday")
        assert found(objects, "clock_skew") == []

    @pytest.mark.parametrize("unit", [1, 1000])
    @pytest.mark.parametrize("spelling", [int, str])
    def test_a_time_since_1970(self, unit: int, spelling: type) -> None:
        """A number of seconds or milliseconds, or text of one, is a time: no check leaves the event out."""
        objects = Objects()
        for seconds in (10, 20):
            objects.add(received=seconds, eventTimestamp=spelling(int(START.timestamp() + seconds - 61) * unit))
        assert found(objects, "clock_skew") == [{"client_id": "c", "seconds": 61.0}]
