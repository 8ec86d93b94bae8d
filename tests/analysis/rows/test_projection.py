from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import JSON, RAW_FIELDS
from analysis.rows.projection import Projection
from chalicelib.contract import COLUMNS
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import flatten
from chalicelib.json_object import decode, parse
from tests.support.json_texts import hostile_payloads, json_values, object_texts, price_texts, whitespace

LAST_MODIFIED = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
FIELDS = [*(field for field in RAW_FIELDS if field.type != JSON), SENT_AT]
JSON_FIELDS = [field for field in RAW_FIELDS if field.type == JSON]

UUID_TEXT = "7c9e6679-7425-40de-944b-e07fc1f90a04"
USUAL = f'"eventId": "{UUID_TEXT}", "eventName": "click", "_ingest": {{"receivedAt": "2026-11-24T22:00:00.123Z"}}'


def projection(fields: list[Any] | None = None, price_decimals: int = 0) -> Projection:
    chosen = FIELDS if fields is None else fields
    return Projection(chosen, lambda _key: LAST_MODIFIED, price_decimals=price_decimals)


PROJECTIONS = [projection(price_decimals=decimals) for decimals in range(7)]
PROJECTION = PROJECTIONS[0]


def expected_row(body: bytes, key: str, price_decimals: int = 0) -> tuple[Any, ...] | str:
    """The row as the contract's own mapping gives it, one value at a time, or the reason of a reject."""
    try:
        values = flatten(body, key, LAST_MODIFIED, price_decimals)
        row = [str(value) if isinstance(value, UUID) else value for value in values]
        payload = parse(decode(body))
    except InvalidEvent as error:
        return str(error)
    return (key, *row, *(field.value(payload) for field in FIELDS))


def assert_same_rows(bodies: list[bytes], price_decimals: int = 0) -> None:
    """All at once as one by one: rows, in any order, and corrupt objects."""
    keys = [f"events/2026/11/24/22/{number:03}.json" for number in range(len(bodies))]
    rows, corrupt = PROJECTIONS[price_decimals].rows((keys, bodies))
    expected = {key: expected_row(body, key, price_decimals) for key, body in zip(keys, bodies, strict=True)}
    assert len(rows) + len(corrupt) == len(bodies)
    assert {row[0]: row for row in rows.iter_rows()} | dict(corrupt) == expected


def one(body: str) -> dict[str, Any]:
    """The row of one object by column name."""
    rows, corrupt = PROJECTION.rows((["key"], [body.encode("utf-8", "surrogatepass")]))
    assert corrupt == []
    return rows.row(0, named=True)


# Spellings of prices, and the number that each stands for.
PRICES = {
    "12.99": "12.99",
    '"12.99"': "12.99",
    '" 12.99\\n"': "12.99",
    "1299e-2": "12.99",
    "0.49": "0.49",
    "-0.49": "-0.49",
    "0.5": "0.5",
    "-0.5": "-0.5",
    "0.0000005": "0.0000005",
    "0.00000049": "0.00000049",
    "13": "13",
    "1.3E1": "13",
    "9223372036854775807": "9223372036854775807",
    "9223372036854775808": "9223372036854775808",
    "92233720368547758.07": "92233720368547758.07",
    "-92233720368547758.08": "-92233720368547758.08",
    "92233720368547758.08": "92233720368547758.08",
    "1e400": "1e400",
    '"12,99"': None,
    "true": None,
}


def rounded(price: str, price_decimals: int) -> int | None:
    """An independent exact calculation."""
    scaled = Fraction(price) * 10**price_decimals
    number = int(abs(scaled) + Fraction(1, 2)) * (1 if scaled >= 0 else -1)
    return number if -(2**63) <= number < 2**63 else None


# Around the greatest and the least number of 64 bits, with the point in any place.
_near_the_end = st.builds(
    lambda offset, end, exponent: f"{end + offset}e{exponent}",
    st.integers(-20, 20),
    st.sampled_from([2**63, -(2**63), 2**63 * 10 + 75, -(2**63) * 10 - 85]),
    st.integers(-8, 1),
)
# Mostly usual, so that the quick way is taken, with something hostile in between.
_names = "eventId eventName eventTimestamp userId user_id isFirstVisit seq tabId product _ingest dropped pageUrl x"
_hostile_members = st.builds('"{}": {}'.format, st.sampled_from(_names.split()), json_values)
_products = st.tuples(
    st.sampled_from(["id", "name", "brand", "brandName", "price", "discountPrice", "urlPath"]), json_values
).map(lambda member: f'"product": {{"{member[0]}": {member[1]}}}')
_timestamps = st.one_of(
    st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='milliseconds')}Z"),
    st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}Z", fullmatch=True),
).flatmap(
    lambda text: st.sampled_from(
        [f'"_ingest": {{"receivedAt": "{text}"}}', f'"eventTimestamp": "{text}"', f'"event_timestamp": "{text}"']
    )
)
_nearly_usual = st.builds("{{{}{}, {}}}".format, whitespace, st.just(USUAL), _hostile_members | _products | _timestamps)
_bodies = st.one_of(
    _nearly_usual.map(lambda text: text.encode("utf-8", "surrogatepass")),
    hostile_payloads.map(lambda text: text.encode("utf-8", "surrogatepass")),
    object_texts().map(lambda given_object: given_object[0].encode("utf-8", "surrogatepass")),
    json_values.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=20),
    st.tuples(_nearly_usual, st.binary(max_size=4), st.integers(0, 200)).map(
        lambda parts: parts[0].encode()[: parts[2]] + parts[1] + parts[0].encode()[parts[2] :]
    ),
)


class TestProjection:
    @settings(max_examples=400, deadline=None)
    @given(st.lists(_bodies, max_size=5))
    @pytest.mark.slow
    def test_rows_are_those_of_the_contracts_own_mapping(self, bodies: list[bytes]) -> None:
        """Value for value, on any input, raw-only fields included; what is corrupt is named with the same reason."""
        assert_same_rows(bodies)

    @pytest.mark.slow
    @settings(max_examples=400, deadline=None)
    @given(st.lists(_nearly_usual, min_size=1, max_size=5))
    def test_one_hostile_value_among_usual_ones_changes_no_row(self, texts: list[str]) -> None:
        """Not in its own row, not in another."""
        assert_same_rows([text.encode("utf-8", "surrogatepass") for text in texts])

    @pytest.mark.parametrize(
        "member",
        [
            '"userId": 7, "user_id": "b"',
            '"userId": 0, "user_id": "b"',
            '"userId": -0',
            '"userId": 1.50',
            '"userId": 1e400',
            '"userId": 12345678901234567890123',
            '"userId": true, "user_id": "b"',
            '"userId": [1], "user_id": {"a": 1}',
            '"userId": "", "user_id": "b"',
            '"userId": "\\u0000", "user_id": "b"',
            '"userId": "a\\u0000b"',
            '"userId": "\\ud800"',
            '"userId": "\\ud83d\\ude00"',
            '"userId": "a", "userId": "b"',
            '"userId": "a", "userId": null',
            '"user\\u0049d": "escaped"',
            '"\\u005fingest": {"receivedAt": "2020-01-01T00:00:00.000Z"}',
            '"_ingest": "text"',
            '"_ingest": {"receivedAt": ""}',
            '"_ingest": {"receivedAt": 20261124}, "eventTimestamp": "2026-11-24"',
            '"_ingest": {"receivedAt": "2026-02-30T00:00:00.000Z"}, "eventTimestamp": "2026-11-24T01:02:03.004Z"',
            '"_ingest": {"receivedAt": "2026-11-24T23:59:60.000Z"}',
            '"_ingest": {"receivedAt": "2026-11-24T24:00:00.000Z"}',
            '"_ingest": {"receivedAt": "0000-11-24T22:00:00.000Z"}',
            '"_ingest": {"receivedAt": "2026-11-24t22:00:00.000z"}',
            '"_ingest": {"receivedAt": "2026-11-24T22:00:00.000Z\\n"}',
            '"_ingest": {"receivedAt": "2026-11-24T22:00:00.\\u0661\\u0661\\u0661Z"}',
            '"eventTimestamp": 20261124',
            '"eventTimestamp": 2026.5',
            '"eventTimestamp": 1795510800',
            '"eventTimestamp": 1795510800000',
            '"eventTimestamp": 1795510800.25',
            '"eventTimestamp": "1795510800000"',
            '"eventTimestamp": "1712121000000"',
            '"eventTimestamp": "24/11/2026 09:00", "event_timestamp": 1795510800',
            f'"eventId": "{UUID_TEXT.upper()}"',
            f'"eventId": "{UUID_TEXT}\\n"',
            f'"eventId": "{{{UUID_TEXT}}}"',
            f'"eventId": "{UUID_TEXT.replace("-", "")}"',
            '"eventId": "K\\u212a"',
            '"eventId": 5',
            '"eventId": null',
            '"eventName": ""',
            '"isFirstVisit": "true"',
            '"isFirstVisit": 1, "is_first_visit": "false"',
            '"isFirstVisit": "maybe", "is_first_visit": true',
            '"product": "text"',
            '"product": null',
            '"product": {"id": 1042, "name": 1.0}',
            '"product": {"price": true}',
            '"product": {"price": 1.5}',
            '"product": {"price": -0.5}',
            '"product": {"price": " 1e2 "}',
            '"product": {"price": 9223372036854775807}',
            '"product": {"price": 9223372036854775808}',
            '"product": {"price": -9223372036854775809}',
            '"product": {"discountPrice": [], "discount_price": 3}',
            '"product": {"brand": "Nike"}',
            '"product": {"brand": 5}',
            '"product": {"brand": ["Nike"]}',
            '"product": {"brand": {"name": null, "title": "NIKE"}}',
            '"product": {"brand": {"name": {}}, "brand": "last"}',
            '"product": {"id": "first"}, "product": {"name": "last"}',
            '"seq": "12"',
            '"x": ' + "[" * 99 + "]" * 99,
            '"x": {"a": [' + "{}," * 120 + "{}]}",
            '"x": ' + "9" * 5000,
            '"x": "\\ud800"',
        ],
    )
    def test_unusual_spellings_give_the_same_row(self, member: str) -> None:
        """One by one, after usual members and before them, beside a usual object."""
        usual = f"{{{USUAL}}}".encode()
        assert_same_rows([f"{{{USUAL}, {member}}}".encode(), usual, f"{{{member}, {USUAL}}}".encode()])

    @pytest.mark.slow
    @settings(max_examples=300, deadline=None)
    @given(st.lists(price_texts | _near_the_end, min_size=1, max_size=5), st.integers(0, 6))
    def test_prices_of_any_spelling_keep_the_same_decimals(self, prices: list[str], price_decimals: int) -> None:
        """Numbers, numeric text, exponents, halves, and what is out of range; alone and beside usual objects."""
        bodies = [f'{{{USUAL}, "product": {{"price": {price}, "discountPrice": {price}}}}}' for price in prices]
        assert_same_rows([body.encode("utf-8", "surrogatepass") for body in bodies], price_decimals)

    @pytest.mark.parametrize("price_decimals", range(7))
    def test_every_kind_of_price(self, price_decimals: int) -> None:
        """Rounded half away from zero; null beyond 64 bits."""
        rows, _ = PROJECTIONS[price_decimals].rows(
            (["key"] * len(PRICES), [f'{{{USUAL}, "product": {{"price": {price}}}}}'.encode() for price in PRICES])
        )
        expected = [None if price is None else rounded(price, price_decimals) for price in PRICES.values()]
        assert rows["context_product_price"].to_list() == expected

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" \n",
            b"[]",
            b"null",
            b'"text"',
            b"{%b} {}",
            b'{%b, "a": NaN}',
            b'{%b, "a": 01}',
            b'{%b, "a": "\t"}',
            b'{%b, "x": "\xff"}',
            b'{%b, "\xff": 1}',
            b'{%b, "x": "\xed\xa0\x80"}',
            b'{%b, "a":' + b"[" * 100 + b"]" * 100 + b"}",
            b'{%b, "a":' + b'{"a":' * 100 + b"0" + b"}" * 100 + b"}",
            b'{%b, "a": 1',
        ],
    )
    def test_what_the_projector_rejects_is_corrupt(self, body: bytes) -> None:
        """With the projector's own reason; its neighbours are rows."""
        usual = f"{{{USUAL}}}".encode()
        body = body.replace(b"%b", USUAL.encode())
        rows, corrupt = PROJECTION.rows((["a", "b", "c"], [usual, body, usual]))
        assert rows["key"].to_list() == ["a", "c"]
        assert corrupt == [("b", expected_row(body, "b"))]

    @pytest.mark.parametrize("white", ["\n", "\r\n", "\t", "  "])
    def test_white_space_between_tokens_is_nothing(self, white: str) -> None:
        """Raw newlines, too: an object need not be one line."""
        assert one(f'{white}{{{white}"userId"{white}:{white}"a"{white}}}{white}')["user_id"] == "a"
        assert_same_rows([b"\xef\xbb\xbf{%b}" % USUAL.encode()])

    def test_real_events_need_no_second_look(self, monkeypatch: pytest.MonkeyPatch, payload: Any) -> None:
        """What our publisher sends is decoded together: the mapping of single objects is not asked."""
        bodies = [
            payload(name).rstrip()[:-1] + b', "_ingest": {"receivedAt": "2026-11-24T22:00:00.123Z"}}'
            for name in ("page_view", "click", "product_view", "checkout_complete", "login_success")
        ]
        expected = [expected_row(body, "key") for body in bodies]
        monkeypatch.delattr("analysis.rows.projection.parse")
        rows, _ = PROJECTION.rows((["key"] * len(bodies), bodies))
        assert rows.rows() == expected

    def test_no_objects_give_no_rows(self) -> None:
        """But all columns."""
        rows, corrupt = PROJECTION.rows(([], []))
        assert rows.columns == ["key", *(column.name for column in (*COLUMNS, *FIELDS))]
        assert (len(rows), corrupt) == (0, [])


class TestJsonFields:
    @pytest.mark.parametrize("break_it", ["", ', "x": "\\ud800"'])
    @pytest.mark.parametrize(
        ("member", "expected"),
        [
            ('"cart": {"total": 1.50,  "items": []}', '{"total": 1.50,  "items": []}'),
            ('"cart" :\n [1 ,2]', "[1 ,2]"),
            ('"cart": "text"', '"text"'),
            ('"cart": "\\u0000"', '"\\u0000"'),
            ('"cart": -0', "-0"),
            ('"cart": null', None),
            ('"cart": {}, "cart": 2', "2"),
            ('"c\\u0061rt": true', "true"),
            ('"other": 1', None),
        ],
    )
    def test_they_are_the_members_own_text(self, member: str, expected: str | None, break_it: str) -> None:
        """As sent, the last of that name, whether all objects are decoded together or one by one."""
        text = f"{{{USUAL}, {member}{break_it}}}"
        rows, _ = projection(JSON_FIELDS).rows((["key"], [text.encode()]))
        assert rows.row(0, named=True)["cart"] == expected

    @settings(max_examples=300, deadline=None)
    @given(st.lists(json_values, min_size=1, max_size=3), st.sampled_from(["", ', "x": "\\ud800"']))
    def test_both_ways_find_the_same_text(self, values: list[str], break_it: str) -> None:
        """Of any value."""
        members = ", ".join(f'"cart": {value}' for value in values)
        text = f"{{{members}, {USUAL}{break_it}}}".encode("utf-8", "surrogatepass")
        rows, _ = projection(JSON_FIELDS).rows((["key"], [text]))
        assert rows["cart"].to_list() == [None if values[-1] == "null" else values[-1]]
