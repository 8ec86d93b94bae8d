from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.convert import to_bigint, to_boolean, to_number, to_text, to_timestamp, to_uuid
from chalicelib.json_object import Json, Number
from tests.support.json_texts import number_texts

# Fixed offsets: a local time that daylight saving skips is written as another one than it is.
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NOT_TEXT: list[Json] = [True, False, None, [], ["a"], {}, {"a": "b"}]


class TestToText:
    def test_strings_stay_and_numbers_keep_their_spelling(self) -> None:
        """Nothing is trimmed, and no number is written anew."""
        assert to_text(" a ") == " a "
        assert to_text(Number("1.50")) == "1.50"

    @pytest.mark.parametrize("value", NOT_TEXT)
    def test_anything_else_is_null(self, value: Json) -> None:
        """Booleans, arrays and objects are not text."""
        assert to_text(value) is None

    def test_what_postgresql_cannot_store_is_replaced(self) -> None:
        """U+0000 and lone surrogates become U+FFFD; whole characters beyond the BMP stay."""
        assert to_text("a\x00b\ud800c\udfffd😀") == "a\ufffdb\ufffdc\ufffdd😀"


class TestToUuid:
    def test_the_hyphenated_form_is_taken_as_it_is(self) -> None:
        """In either case, of any version."""
        assert to_uuid("F47AC10B-58CC-4372-A567-0E02B2C3D479") == UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
        assert to_uuid("00000000-0000-0000-0000-000000000000") == UUID(int=0)

    @pytest.mark.parametrize(
        "text",
        [
            "abc",
            "f47ac10b58cc4372a5670e02b2c3d479",
            "{f47ac10b-58cc-4372-a567-0e02b2c3d479}",
            "urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479",
            " f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479\n",
            "f47ac10b-58cc-4372-a567-0e02b2c3d47٩",
        ],
    )
    def test_any_other_text_gives_its_uuid_5(self, text: str) -> None:
        """Python's own UUID would take most of these for the id itself."""
        assert to_uuid(text) == uuid5(NAMESPACE_URL, text)

    def test_numbers_and_unstorable_text_work_as_text(self) -> None:
        """An id is made from what the text column would hold."""
        assert to_uuid(Number("42")) == uuid5(NAMESPACE_URL, "42")
        assert to_uuid("\ud800") == uuid5(NAMESPACE_URL, "\ufffd")

    @pytest.mark.parametrize("value", NOT_TEXT)
    def test_anything_else_is_null(self, value: Json) -> None:
        """Booleans, arrays and objects are not ids."""
        assert to_uuid(value) is None


class TestToBoolean:
    @pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), ("true", True), ("false", False)])
    def test_true_and_false_or_that_text(self, value: Json, *, expected: bool) -> None:
        """JSON's booleans and their text."""
        assert to_boolean(value) is expected

    @pytest.mark.parametrize("value", ["True", " true", "maybe", "1", Number("1"), Number("0"), None, [], {}])
    def test_anything_else_is_null(self, value: Json) -> None:
        """No guess is made."""
        assert to_boolean(value) is None


class TestToBigint:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("35.79", 36),
            ("1990000", 1990000),
            ("0.5", 1),
            ("-0.5", -1),
            ("2.5", 3),
            ("-2.5", -3),
            ("0.49999999999999999999999", 0),
            ("0.05", 0),
            ("5e-1", 1),
            ("4.9e-1", 0),
            ("-0", 0),
            ("1e3", 1000),
            ("1.2345E+2", 123),
            ("0.00012e7", 1200),
            ("1e18", 10**18),
            ("9223372036854775807.4", 2**63 - 1),
            ("-9223372036854775808", -(2**63)),
            ("0e999999999999999999999999", 0),
            ("1e-999999999999999999999999", 0),
            ("1" + "0" * 5000 + "e-5000", 1),
            ("0." + "0" * 5000 + "1e5001", 1),
            ("1e0000000000000000000000000000000000003", 1000),
        ],
    )
    def test_numbers_are_rounded_half_away_from_zero(self, text: str, expected: int) -> None:
        """Exact decimal arithmetic, for numbers and for text that is one."""
        assert to_bigint(Number(text)) == expected
        assert to_bigint(f" {text}\n") == expected

    @pytest.mark.parametrize(
        "text",
        [
            "1e400",
            "9223372036854775808",
            "9223372036854775807.5",
            "-9223372036854775808.5",
            "1e999999999999999999999999",
        ],
    )
    def test_out_of_range_is_null(self, text: str) -> None:
        """Beyond 64 bits, and without expanding the exponent."""
        assert to_bigint(Number(text)) is None

    @pytest.mark.parametrize(
        "value", [True, None, [], {}, "", " ", "abc", "+1", "01", ".5", "1.", "1,000", "0x10", "NaN", "٣"]
    )
    def test_anything_else_is_null(self, value: Json) -> None:
        """Only what JSON calls a number is one."""
        assert to_bigint(value) is None

    @pytest.mark.parametrize(
        ("text", "decimals", "expected"),
        [
            ("12.99", 0, 13),
            ("12.99", 2, 1299),
            ("0.49", 0, 0),
            ("0.49", 2, 49),
            ("12.99", 6, 12_990_000),
            ("1299e-2", 2, 1299),
            ("0.1299E2", 2, 1299),
            ("0.005", 2, 1),
            ("-0.005", 2, -1),
            ("0.0049999", 2, 0),
            ("5e-7", 6, 1),
            ("92233720368547758.07", 2, 2**63 - 1),
            ("92233720368547758.08", 2, None),
            ("-92233720368547758.08", 2, -(2**63)),
            ("92233720368547758.075", 2, None),
            ("1e17", 2, None),
            ("0e999999999999999999999999", 6, 0),
        ],
    )
    def test_decimals_are_kept(self, text: str, decimals: int, expected: int | None) -> None:
        """The number times 10 to their power; what does not fit is rounded in the same way."""
        assert to_bigint(Number(text), decimals) == expected
        assert to_bigint(f" {text}\n", decimals) == expected

    @given(number_texts.filter(lambda text: abs(int(text.lower().partition("e")[2] or "0")) < 400), st.integers(0, 6))
    def test_equals_the_decimal_module(self, text: str, decimals: int) -> None:
        """An independent exact calculation gives the same."""
        scaled = Context(prec=1000).create_decimal(text).scaleb(decimals, Context(prec=1000))
        exact = scaled.quantize(Decimal(1), ROUND_HALF_UP, Context(prec=1000))
        expected = int(exact) if -(2**63) <= int(exact) < 2**63 else None
        assert to_bigint(Number(text), decimals) == expected


class TestToNumber:
    @pytest.mark.parametrize("value", [Number("13.00"), "13.00", " 13.00\t"])
    def test_a_number_keeps_its_spelling(self, value: Json) -> None:
        """Also as text, which is trimmed."""
        assert to_number(value) == "13.00"

    @pytest.mark.parametrize("value", [True, None, [], {}, "", "13,00", "€13", "1.", "NaN"])
    def test_anything_else_is_null(self, value: Json) -> None:
        """Only what JSON calls a number is one."""
        assert to_number(value) is None


class TestToTimestamp:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-11-24T22:00:00.123Z", datetime(2026, 11, 24, 22, 0, 0, 123_000, UTC)),
            ("2026-11-24t22:00:00z", datetime(2026, 11, 24, 22, tzinfo=UTC)),
            ("2026-11-24T22:00:00+07:00", datetime(2026, 11, 24, 15, tzinfo=UTC)),
            ("2026-11-24T22:00:00-0330", datetime(2026, 11, 25, 1, 30, tzinfo=UTC)),
            ("2026-11-24T22:00", datetime(2026, 11, 24, 22, tzinfo=UTC)),
            ("2026-11-24 22:00:00", datetime(2026, 11, 24, 22, tzinfo=UTC)),
            ("2026-11-24T22:00:00.123456789Z", datetime(2026, 11, 24, 22, 0, 0, 123_456, UTC)),
            ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
            ("20261124T220000Z", datetime(2026, 11, 24, 22, tzinfo=UTC)),
        ],
    )
    def test_iso_8601_becomes_utc(self, text: str, expected: datetime) -> None:
        """UTC where no offset is given."""
        converted = to_timestamp(text)
        assert converted == expected
        assert converted is not None
        assert converted.utcoffset() == timedelta(0)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-02-30",
            "2026-11-24T25:00:00Z",
            "2026-11-24x22:00:00Z",
            " 2026-11-24",
            "24 Nov 2026",
            "2026-11-24T22.5",
            "2026-11-24T22,75Z",
            "2026-11-24T22:10.5",
            "2026-11-24T22:00:00:5",
            "2026-11-24T22:00+07:99",
            "2026-11-24T22:00+07:00:75",
            "2026-11-24T24:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "٢٠٢٦-11-24",
            Number("20261124"),
            Number("1795557600000"),
            True,
            None,
            [],
            {},
        ],
    )
    def test_anything_else_is_null(self, value: Json) -> None:
        """Also decimal hours, and what lies outside the years 1 to 9999 once it is in UTC."""
        assert to_timestamp(value) is None

    @given(st.datetimes(timezones=OFFSETS) | st.datetimes())
    def test_every_time_python_writes_is_read(self, moment: datetime) -> None:
        """Unless it lies outside the years 1 to 9999 in UTC."""
        converted = to_timestamp(moment.isoformat())
        if converted is not None:
            assert converted == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        else:
            assert moment.year in {1, 9999}
