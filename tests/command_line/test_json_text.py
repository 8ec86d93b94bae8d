import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from command_line.json_text import json_text, plain


class TestPlain:
    def test_a_time_is_in_utc_as_in_events(self) -> None:
        """Whatever zone it was given in."""
        moment = datetime(2026, 11, 25, 16, 0, 1, 222_333, timezone(timedelta(hours=7)))
        assert plain(moment) == "2026-11-25T09:00:01.222Z"

    def test_others_are_as_python_writes_them(self) -> None:
        """A day, a price, a text."""
        assert [plain(each) for each in (date(2026, 11, 25), Decimal("1.10"), "a")] == ["2026-11-25", "1.10", "a"]


class TestJsonText:
    def test_what_json_has_no_type_for_is_a_text(self) -> None:
        """Numbers, texts and null stay what they are."""
        result = {"hour": datetime(2026, 11, 25, 9, tzinfo=UTC), "price": Decimal("1.10"), "lost": 0, "client": None}
        expected = {"hour": "2026-11-25T09:00:00.000Z", "price": "1.10", "lost": 0, "client": None}
        assert json.loads(json_text(result)) == expected
