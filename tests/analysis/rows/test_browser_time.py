from datetime import UTC, datetime

import pytest

from analysis.rows.browser_time import to_browser_time
from chalicelib.json_object import Number

SENT = datetime(2026, 11, 24, 9, tzinfo=UTC)


class TestToBrowserTime:
    @pytest.mark.parametrize(
        "value",
        [
            "2026-11-24T09:00:00.000Z",
            "2026-11-24T16:00:00+07:00",
            Number("1795510800"),
            Number("1795510800000"),
            "1795510800",
            " 1795510800000 ",
            Number("1795510800.0"),
            Number("1.7955108e9"),
            Number("1.7955108E+12"),
        ],
    )
    def test_iso_text_and_seconds_and_milliseconds_since_1970_are_times(self, value: str) -> None:
        """As a number and as text."""
        assert to_browser_time(value) == SENT

    def test_parts_of_a_second_are_exact(self) -> None:
        """To the microsecond; the rest is cut off."""
        assert to_browser_time(Number("1795510800.1234569")) == SENT.replace(microsecond=123456)
        assert to_browser_time(Number("1795510800123.4")) == SENT.replace(microsecond=123400)

    def test_milliseconds_as_text_are_never_a_date(self) -> None:
        """Digits that would also read as a day of the year 1712."""
        assert to_browser_time("1712121000000") == datetime(2024, 4, 3, 5, 10, tzinfo=UTC)

    @pytest.mark.parametrize(
        "value",
        ["24/11/2026 09:00", "yesterday", "", None, True, [], Number("12"), Number("-1795510800"), Number("1e400")],
    )
    def test_anything_else_is_no_time(self, value: object) -> None:
        """Also a number of too few digits, which could be anything."""
        assert to_browser_time(value) is None  # type: ignore[arg-type]
