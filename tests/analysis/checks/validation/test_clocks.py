from datetime import timedelta

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

    def test_moved_days(self) -> None:
        """An event of 23:00 that arrived an hour and a half later, and of which another tab of the client is right."""
        objects = Objects()
        evening = 14 * 3600  # 23:00 UTC
        objects.add(received=evening, sent=evening, tabId="u")
        key = objects.add(received=evening + 5400, sent=evening + 10)
        checks = {check.name: check for check in clock_checks(objects.events)}
        times = {"occurred_at": START + timedelta(seconds=evening + 10)}
        times |= {"received_at": START + timedelta(seconds=evening + 5400)}
        assert checks["moved_days"].findings == [{"key": key, **times}]
        assert checks["moved_days"].observed == "1 event arrived on a later day (UTC)"
        assert checks["moved_days"].is_passed

    def test_days_are_those_of_the_zone(self) -> None:
        """In Hanoi, 23:00 UTC and half past midnight are the same morning; 16:30 and 17:30 UTC are two days."""
        objects = Objects()
        objects.add(received=8 * 3600, tabId="u")
        hanoi = objects.add(received=8.5 * 3600, sent=7.5 * 3600)
        utc = objects.add(received=15.5 * 3600, sent=14 * 3600)
        for zone, keys in (("UTC", [utc]), ("Asia/Ho_Chi_Minh", [hanoi])):
            checks = {check.name: check for check in clock_checks(objects.events, zone)}
            assert [finding["key"] for finding in checks["moved_days"].findings] == keys

    def test_a_moment_of_transit_over_midnight_is_not_late(self) -> None:
        """Up to a minute, as for wrong clocks."""
        objects = Objects()
        midnight = 15 * 3600
        objects.add(received=midnight, sent=midnight - 1)
        objects.add(received=midnight + 59, sent=midnight - 1)
        assert found(objects, "moved_days") == []

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
