import io
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line.errors import CommandError
from emulator.replay.events import Event, Malformed, read_log
from emulator.replay.rees46 import HEADER, payload

FIRST_LINE = HEADER.encode() + b"\n"
VIEW = b"2019-10-01 00:00:01 UTC,view,1307067,2053013558920217191,computers.notebook,lenovo,251.74,550050854,7c90fc70"
PURCHASE = VIEW.replace(b"view", b"purchase")


def outcomes(data: bytes) -> list[Event | Malformed]:
    """Everything read from the lines, under a good header."""
    return list(read_log(io.BytesIO(FIRST_LINE + data)))


def event_ids(data: bytes) -> list[UUID]:
    """The ids of the events among the lines."""
    return [outcome.event_id for outcome in outcomes(data) if isinstance(outcome, Event)]


class TestHeader:
    """The first line, which says whether this is the format at all."""

    @pytest.mark.parametrize(
        "data", [b"", b"\n", VIEW + b"\n", b"event_time,event_type\n", b"\x1f\x8b\x08\x00", b"x" * 200_000]
    )
    def test_another_first_line_is_an_error_that_names_the_columns(self, data: bytes) -> None:
        """An empty file, missing or other header is refused at once, before any line is asked for."""
        with pytest.raises(
            CommandError, match="event_time,event_type,product_id,category_id,category_code,brand,price"
        ):
            read_log(io.BytesIO(data))

    @pytest.mark.parametrize("header", [FIRST_LINE, b"\xef\xbb\xbf" + FIRST_LINE, FIRST_LINE.replace(b"\n", b"\r\n")])
    def test_bom_and_crlf_are_accepted(self, header: bytes) -> None:
        """What a spreadsheet adds to the file does not make it another format."""
        assert len(list(read_log(io.BytesIO(header + VIEW)))) == 1

    def test_header_alone_is_a_log_without_events(self) -> None:
        """A log of nothing is fine."""
        assert outcomes(b"") == []


class TestLines:
    """Each physical line has one outcome."""

    def test_event_is_the_payload_and_its_id(self) -> None:
        (outcome,) = outcomes(VIEW)
        assert isinstance(outcome, Event)
        assert outcome.payload == {"eventId": str(outcome.event_id), **payload(VIEW)}
        assert outcome.name == "product_view"

    def test_last_line_without_newline_counts(self) -> None:
        """A file cut after its last value has lost nothing."""
        assert [type(outcome) for outcome in outcomes(VIEW)] == [Event]

    def test_sizes_and_numbers_are_the_file_s(self) -> None:
        """Sizes add up to the file; numbers are those an editor shows, the header being line 1."""
        data = VIEW + b"\r\n" + b"bad\n" + b"y" * 300_000 + b"\n" + VIEW
        found = outcomes(data)
        assert sum(outcome.size for outcome in found) == len(data)
        assert [outcome.line_number for outcome in found if isinstance(outcome, Malformed)] == [3, 4]

    @pytest.mark.parametrize("bad", [b'"', b"\xff\xfe", b"x" * 200_000, b"\x00", b"\r", b'a,"b'])
    def test_a_bad_line_takes_no_other_with_it(self, bad: bytes) -> None:
        """The lines around a bad one are read as ever."""
        found = outcomes(VIEW + b"\n" + bad + b"\n" + PURCHASE + b"\n")
        assert [type(outcome) for outcome in found] == [Event, Malformed, Event]

    @given(
        st.lists(st.one_of(st.binary(max_size=60), st.text(alphabet='",\r\n0a \x00\x85', max_size=40).map(str.encode)))
    )
    def test_each_line_has_exactly_one_outcome(self, parts: list[bytes]) -> None:
        """Nothing raises after the header, and no line is swallowed or given twice."""
        data = b"\n".join(parts)
        lines = data.split(b"\n")
        assert len(outcomes(data)) == len(lines) - (lines[-1] == b"")

    @given(st.binary(max_size=200))
    def test_any_file_is_read_or_refused(self, data: bytes) -> None:
        """Only the header can be an error."""
        with suppress(CommandError):
            list(read_log(io.BytesIO(data)))


class TestEventId:
    """Ids that make a second replay the same events."""

    def test_same_file_gives_the_same_ids(self) -> None:
        data = b"\n".join([VIEW, PURCHASE, VIEW])
        assert outcomes(data) == outcomes(data)

    def test_identical_lines_are_distinct_events(self) -> None:
        """Two equal lines are two events, also with another line between."""
        assert len(set(event_ids(b"\n".join([VIEW, PURCHASE, VIEW])))) == 3

    def test_id_does_not_depend_on_the_position(self) -> None:
        """A line has the same id in a part of the file, and whatever the line endings are."""
        assert event_ids(PURCHASE + b"\r\nbad\r\n" + VIEW + b"\r\n")[1:] == event_ids(VIEW)
