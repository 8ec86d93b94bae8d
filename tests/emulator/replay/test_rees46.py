import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.replay.rees46 import MAX_LINE_BYTES, payload

VIEW = b"2019-10-01 00:00:01 UTC,view,1307067,2053013558920217191,computers.notebook,lenovo,251.74,550050854,7c90fc70"
PURCHASE = VIEW.replace(b"view", b"purchase")


def reason(line: bytes) -> str:
    """Why a line is no event."""
    with pytest.raises(ValueError, match=r".") as caught:
        payload(line)
    return str(caught.value)


class TestPayload:
    """A good line as an event of the contract."""

    def test_view_has_the_line_s_values_and_no_others(self) -> None:
        """Every column has its member; nothing is invented."""
        assert payload(VIEW) == {
            "eventName": "product_view",
            "eventTimestamp": "2019-10-01T00:00:01Z",
            "userId": "550050854",
            "sessionId": "7c90fc70",
            "product": {
                "id": "1307067",
                "category": "computers.notebook",
                "categoryId": "2053013558920217191",
                "brand": "lenovo",
                "price": 251.74,
            },
        }

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            (b"view", "product_view"),
            (b"cart", "add_to_cart_click"),
            (b"remove_from_cart", "remove_from_cart_click"),
            (b"purchase", "checkout_complete"),
        ],
    )
    def test_types_become_the_contract_s_names(self, kind: bytes, name: str) -> None:
        """Each of the log's four types has one event name."""
        assert payload(VIEW.replace(b"view", kind))["eventName"] == name

    def test_purchase_is_an_order_of_one(self) -> None:
        """A purchase line is one unit of one product, in US dollars."""
        item = {"id": "1307067", "quantity": 1, "price": 251.74}
        assert payload(PURCHASE)["order"] == {"items": [item], "total": 251.74, "currency": "USD"}

    def test_empty_columns_are_left_out(self) -> None:
        """No member says nothing."""
        found = payload(b"2019-10-01 00:00:01 UTC,purchase,1,,,,,,")
        assert set(found) == {"eventName", "eventTimestamp", "product", "order"}
        assert found["product"] == {"id": "1"}
        assert found["order"] == {"items": [{"id": "1", "quantity": 1}], "currency": "USD"}

    @pytest.mark.parametrize(("text", "number"), [(b"33.10", "33.1"), (b"0", "0.0"), (b"-12.50", "-12.5")])
    def test_price_is_a_json_number_of_the_same_value(self, text: bytes, number: str) -> None:
        """Decimals come out as they went in, those below zero too."""
        assert f'"price": {number}}}' in json.dumps(payload(VIEW.replace(b"251.74", text)))

    def test_quoted_fields_are_unquoted(self) -> None:
        """CSV quoting works within a line, text in any language included."""
        line = VIEW.replace(b"lenovo", '"Krüger, ""K"" & Søn"'.encode())
        assert payload(line)["product"]["brand"] == 'Krüger, "K" & Søn'

    @given(st.lists(st.text(alphabet='a",é 1\x1b', max_size=8), min_size=4, max_size=4))
    def test_any_text_in_an_event_is_json_and_comes_back(self, texts: list[str]) -> None:
        """Whatever the text columns hold arrives as it is."""
        quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
        line = ",".join(
            ["2019-10-01 00:00:01 UTC", "view", '"x"', quoted[0], quoted[1], quoted[2], "1", "u", quoted[3]]
        )
        found = json.loads(json.dumps(payload(line.encode())))
        columns = [found["product"].get(name, "") for name in ("categoryId", "category", "brand")]
        assert [*columns, found.get("sessionId", "")] == texts


class TestMalformed:
    """Lines that are no events, each reported and passed over."""

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (b"", "blank line"),
            (b"  ", "blank line"),
            (b"a,b", "2 fields instead of 9"),
            (VIEW + b",x", "10 fields instead of 9"),
            (VIEW.replace(b"view", b"View"), "unknown event_type 'View'"),
            (VIEW.replace(b"view", b""), "unknown event_type ''"),
            (VIEW.replace(b"1307067", b" "), "empty product_id"),
            (VIEW.replace(b"lenovo", b'"lenovo'), "not CSV: unexpected end of data"),
            (VIEW.replace(b"lenovo", b"len\xffovo"), "not UTF-8 at byte 80"),
            (VIEW.replace(b"lenovo", b"x" * MAX_LINE_BYTES), "longer than 65,536 bytes"),
        ],
    )
    def test_reason_is_named(self, line: bytes, expected: str) -> None:
        """What is wrong is said in a few words."""
        assert reason(line) == expected

    @pytest.mark.parametrize(
        "time",
        [
            "",
            "2019-10-01",
            "2019-10-01 00:00:01",
            "2019-10-01T00:00:01Z",
            "2019-02-29 00:00:00 UTC",
            "2019-10-01 00:00:60 UTC",
            "2019-10-01 25:00:00 UTC",
            "0000-01-01 00:00:00 UTC",
            "\u0662\u0660\u0661\u0669-10-01 00:00:01 UTC",
        ],
    )
    def test_time_of_another_shape_or_no_such_time(self, time: str) -> None:
        """Only real times in the format's own spelling are taken."""
        assert reason(VIEW.replace(b"2019-10-01 00:00:01 UTC", time.encode())).startswith("event_time ")

    @pytest.mark.parametrize("price", ["-", "--1", "+1", "nan", "inf", "1e3", "1,5", "1.", ".5", "0x1", " 1", "1_0"])
    def test_price_that_is_no_plain_decimal(self, price: str) -> None:
        """A price is digits with at most one point."""
        assert reason(VIEW.replace(b"251.74", f'"{price}"'.encode())).endswith("is not a decimal number")

    @pytest.mark.parametrize("price", ["9" * 400, "0.1" + "0" * 20 + "1", "12345678901234567.89"])
    def test_price_that_json_cannot_keep(self, price: str) -> None:
        """A price is never altered silently."""
        assert reason(VIEW.replace(b"251.74", price.encode())).endswith("more digits than a JSON number keeps")

    def test_shown_values_cannot_drive_a_terminal(self) -> None:
        """Reasons are short printable ASCII whatever the line holds."""
        text = reason(VIEW.replace(b"view", b"\x1b[31m[red]" + "\u202e".encode() * 500))
        assert text.isascii()
        assert text.isprintable()
        assert len(text) < 350
