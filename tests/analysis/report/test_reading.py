import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from analysis import AnalysisError, Range, overview, read_history, revenue, validate
from analysis.lake.compaction import compact
from analysis.lake.location import Location
from analysis.raw.local import LocalSource
from analysis.report.reading import read_validated
from tests.support.raw_objects import START, Objects

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]

HOUR = timedelta(hours=1)
WITHIN = Range(START + 2.5 * HOUR, START + 6 * HOUR, zone="UTC")
ORDER = {"id": "o", "currency": "EUR", "total": 20, "items": [{"productId": "p", "quantity": 2, "price": 10}]}


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Six hours with ten events each; some were sent again, some placed orders, and one object is not an event."""
    objects = Objects()
    for number in range(60):
        objects.add(received=number * 360.0)
    for received in (1.0, 9001.0, 9002.0):
        objects.add(received=received, eventId="e")
    for received, name in ((2.0, "o"), (10000.0, "o"), (10001.0, "p")):
        objects.add(received=received, eventName="checkout_complete", order={**ORDER, "id": name})
    objects.put("[1]", START + 4 * HOUR)
    # An unusual one.
    objects.add(received=10002.0, seq="x", eventName="checkout_complete", order=[1])
    return objects.write(tmp_path / "shop-raw")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the body of each object is read from raw."""
    keys: Counter[str] = Counter()
    original = LocalSource.read

    def reading(self: LocalSource, folders: Any) -> Any:
        for key, body in original(self, folders):
            if key.startswith("events/"):
                keys[key] += 1
            yield key, body

    monkeypatch.setattr(LocalSource, "read", reading)
    return keys


def require_same(bucket: Path, lake: str | bool, **arguments: Any) -> None:  # noqa: FBT001  # the argument of readers
    """History and validation are the ones that are read apart, over raw alone."""
    history, validation = read_validated(bucket, None, WITHIN, lake=lake, **arguments)
    apart = read_history(bucket, None, WITHIN, lake=False, derived=True, **arguments)
    assert_frame_equal(history.events.frame, apart.events.frame)
    assert_frame_equal(history.events.orders_before, apart.events.orders_before)
    assert_frame_equal(history.reading.corrupt, apart.reading.corrupt)
    assert_frame_equal(history.reading.unreadable, apart.reading.unreadable)
    for metric in (overview, revenue):
        assert_frame_equal(metric(history.raw, WITHIN), metric(apart.raw, WITHIN))
    assert validation.checks == validate(bucket, None, WITHIN.start, WITHIN.end, WITHIN.zone, lake=False).checks


class TestReadValidated:
    def test_each_object_is_read_once(self, bucket: Path, read: Counter[str]) -> None:
        """Of the range, and of the hours before it."""
        read_validated(bucket, None, WITHIN, lake=False)
        assert (len(read), set(read.values())) == (68, {1})

    @pytest.mark.parametrize("arguments", [{}, {"bots": False}, {"clock": "occurred"}])
    def test_it_gives_what_is_read_apart(self, bucket: Path, arguments: dict[str, Any]) -> None:
        """Events, rejects, orders of before, and every finding."""
        require_same(bucket, lake=False, **arguments)

    def test_hours_that_are_not_in_the_lake_are_read_once(
        self, bucket: Path, tmp_path: Path, read: Counter[str]
    ) -> None:
        """With the same result. What the lake does not have of its hours are rejects and repeats."""
        place = Location(str(tmp_path / "lake"))
        compact(bucket, place, now=START + 4 * HOUR)
        require_same(bucket, place.root)
        read.clear()
        read_validated(bucket, None, WITHIN, lake=place.root)
        assert len(read) == 30 + 1 + 2  # of three hours, with the reject, and the repeats of the others
        assert [key for key, number in read.items() if number > 1 and key > "events/2026/11/25/12"] == []
        compact(bucket, place, now=START + 30 * HOUR)
        require_same(bucket, place.root)

    @pytest.mark.parametrize("hour", [10, 13])
    def test_an_object_that_may_not_be_read_is_an_error_or_is_named(self, bucket: Path, hour: int) -> None:
        """As in `read_history`, in the range and before it."""
        first = next(iter((bucket / f"events/2026/11/25/{hour}").iterdir()))
        first.unlink()
        first.symlink_to("/proc/self/mem")  # which nobody can read from its start, not even root
        with pytest.raises(AnalysisError, match=f"cannot read .*{first.name}"):
            read_validated(bucket, None, WITHIN, lake=False)
        history, _ = read_validated(bucket, None, WITHIN, on_error="report", lake=False)
        assert history.reading.unreadable["key"].to_list() == [os.path.relpath(first, bucket)]
        apart = read_history(bucket, None, WITHIN, on_error="report", lake=False)
        assert_frame_equal(history.reading.unreadable, apart.reading.unreadable)
        assert_frame_equal(history.events.frame, apart.events.frame)
