import pytest

from emulator.posting.retry import delay, seconds_of


class TestRetryAfter:
    """The pause that a server asks for."""

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("0", 0), ("7", 7), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("", None), ("soon", None), ("-1", None)],
    )
    def test_seconds_and_dates_are_understood(self, header: str, seconds: float | None) -> None:
        """Numbers and HTTP dates count, a past date means now, anything else is as if absent."""
        assert seconds_of(header) == seconds

    def test_delay_is_capped(self) -> None:
        """No server can make a replay sleep for an hour."""
        assert 20 <= delay(1, 3600) <= 30
        assert delay(1, 0) == 0
