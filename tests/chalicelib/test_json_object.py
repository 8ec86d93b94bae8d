import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidEvent
from chalicelib.json_object import MAX_DEPTH, Number, decode, members, parse
from tests.support.json_texts import object_texts


class TestDecode:
    def test_a_byte_order_mark_is_removed(self) -> None:
        """White space stays, so that places can be counted in what was sent."""
        assert decode(b'\xef\xbb\xbf \r\n{"a": 1}\t') == ' \r\n{"a": 1}\t'

    @pytest.mark.parametrize("body", [b"", b"  \n", b"\xef\xbb\xbf"])
    def test_an_empty_body_is_refused(self, body: bytes) -> None:
        """Nothing but white space is said to be empty."""
        with pytest.raises(InvalidEvent, match="the body is empty"):
            decode(body)

    @pytest.mark.parametrize(("body", "position"), [(b'{"a":"\xff"}', 6), (b'{"a":"\xed\xa0\x80"}', 6), (b'"\xc3', 1)])
    def test_invalid_utf_8_is_refused_with_its_position(self, body: bytes, position: int) -> None:
        """Stray bytes, encoded surrogates and cut-off characters are named by their byte."""
        with pytest.raises(InvalidEvent, match=f"not UTF-8: .* at byte {position}"):
            decode(body)


class TestParse:
    def test_numbers_keep_their_spelling(self) -> None:
        """No digit is lost, and none is ever expanded, however long the number."""
        long = "9" * 10_000
        assert parse(f'{{"a": 1.50, "b": 1e400, "c": -0, "d": {long}}}') == {
            "a": "1.50",
            "b": "1e400",
            "c": "-0",
            "d": long,
        }
        assert isinstance(parse('{"a": 1}')["a"], Number)

    def test_of_duplicate_members_the_last_counts(self) -> None:
        """As JSON parsers everywhere do."""
        assert parse('{"a": "first", "\\u0061": "last"}') == {"a": "last"}

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ('{"a": 1,}', "line 1, column [89]"),
            ('\n\n  {"a": .5}', "line 3, column 9"),
            ('{"a": 1} x', "line 1, column 10"),
            ('{"a": 1', "line 1, column 8"),
            ('{\n"a": tru}', "line 2, column 6"),
            ("{'a': 1}", "line 1, column 2"),
            ('{"a": "\n"}', "line 1, column 8"),
            ('{"a": "\\x"}', "line 1, column 8"),
            ('{"a": 01}', "line 1, column 8"),
            ('{"a": .5}', "line 1, column 7"),
            ('{"a": +1}', "line 1, column 7"),
            ('{"a": \u0661}', "line 1, column 7"),
            ('{"NaN": "NaN", "b": NaN}', "line 1, column 21"),
            ('{"a": [1, Infinity]}', "line 1, column 11"),
            ('{"a":\n -Infinity}', "line 2, column 2"),
        ],
    )
    def test_what_is_not_json_is_refused_with_its_place(self, text: str, where: str) -> None:
        """NaN and infinities, which Python's parser allows, included; Pythons differ on where a comma is too many."""
        with pytest.raises(InvalidEvent, match=f"the body is not JSON: .* at {where}$"):
            parse(text)

    @pytest.mark.parametrize(
        ("text", "kind"),
        [(" [1]", "an array"), ('"a"', "a string"), ("null", "null"), ("true", "a boolean"), ("-1.5", "a number")],
    )
    def test_json_that_is_no_object_is_refused_by_its_kind(self, text: str, kind: str) -> None:
        """The message names what came instead of an object."""
        with pytest.raises(InvalidEvent, match=f"the body is {kind}: send one JSON object"):
            parse(text)

    def test_up_to_the_limit_of_levels_is_accepted(self) -> None:
        """The object itself is level 1; brackets in strings and beside each other are no levels."""
        levels = MAX_DEPTH - 1
        assert parse('{"a":' + "[" * levels + "]" * levels + "}")
        assert parse('{"a": "' + "[" * 1000 + '", "b": [' + "[]," * 200 + "{}]}")

    @pytest.mark.parametrize("closed", [True, False])
    @pytest.mark.parametrize("levels", [5_000, 200_000])
    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
    def test_deeper_nesting_is_refused_with_its_place(
        self, levels: int, opening: str, closing: str, *, closed: bool
    ) -> None:
        """However deep, closed or not, and without a crash."""
        text = '{"a":' + opening * levels + ("0" + closing * levels + "}" if closed else "")
        place = len('{"a":') + (MAX_DEPTH - 1) * len(opening)
        with pytest.raises(InvalidEvent, match=f"nested deeper than 100 levels at line 1, column {place + 1}$"):
            parse(text)

    def test_one_level_too_many_is_refused_even_where_the_value_does_not_count(self) -> None:
        """A repeated member hides its first value from the result, but not from the limit."""
        with pytest.raises(InvalidEvent, match=r"nested deeper than 100 levels at line 1, column 105$"):
            parse('{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + ', "a": 1}')

    @given(st.text(max_size=60) | st.text('{}[]":,\\0123456789-+.eEtrufalsn ', max_size=60))
    def test_agrees_with_pythons_parser_but_for_constants(self, text: str) -> None:
        """Whatever is accepted is an object to Python's parser as well, and the other way round."""
        try:
            expected = isinstance(json.loads(text, parse_constant=lambda _: 1 / 0), dict)
        except (ValueError, ZeroDivisionError):
            expected = False
        try:
            parse(text)
        except InvalidEvent:
            assert not expected
        else:
            assert expected


class TestMembers:
    @given(object_texts())
    def test_members_come_with_their_exact_text(self, given_object: tuple[str, list[str]]) -> None:
        """In order, duplicates included, names decoded, texts untouched."""
        text, texts = given_object
        found = list(members(decode(text.encode("utf-8", "surrogatepass"))))
        assert [member for _, member in found] == texts
        assert [name for name, _ in found] == [
            name for name, _ in json.loads(text, object_pairs_hook=list, parse_int=str)
        ]
