import gzip
import tracemalloc
import zlib

import pytest

from chalicelib.api.packed import unpack
from chalicelib.errors import EventTooLarge, InvalidEvent

MEBIBYTE = 2**20


class TestUnpack:
    @pytest.mark.parametrize("size", [0, 1, 99, 100])
    def test_gzip_within_the_limit_is_unpacked(self, size: int) -> None:
        """To the byte, up to the limit."""
        body = b"x" * size
        assert unpack(gzip.compress(body), 100) == body

    def test_one_byte_too_many_is_refused(self) -> None:
        """Whatever the size of the packed body."""
        with pytest.raises(EventTooLarge, match="more than 100 bytes when unpacked; at most 100 are accepted"):
            unpack(gzip.compress(b"x" * 101), 100)

    def test_a_bomb_is_given_up_after_one_byte_too_many(self) -> None:
        """A gigabyte in a megabyte takes no more memory than the limit, twice."""
        stream = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        bomb = b"".join(stream.compress(bytes(MEBIBYTE)) for _ in range(1024)) + stream.flush()
        tracemalloc.start()
        try:
            with pytest.raises(EventTooLarge):
                unpack(bomb, MEBIBYTE)
            assert tracemalloc.get_traced_memory()[1] < 4 * MEBIBYTE
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize(
        ("packed", "said"),
        [
            (b"{}", "not gzip, or is damaged"),
            (zlib.compress(b"{}"), "not gzip, or is damaged"),
            (gzip.compress(b"{}")[:-8] + b"\0" * 8, "not gzip, or is damaged"),
            (gzip.compress(b"{}")[:-1], "cut off"),
            (gzip.compress(b"{}")[:3], "cut off"),
            (gzip.compress(b"{}") + b"x", "goes on after its gzip"),
            (gzip.compress(b"{}") + gzip.compress(b"{}"), "goes on after its gzip"),
        ],
        ids=["plain", "zlib", "a wrong checksum", "no end", "a beginning", "a byte more", "two in one"],
    )
    def test_what_is_no_whole_gzip_is_refused(self, packed: bytes, said: str) -> None:
        """The error says what is wrong."""
        with pytest.raises(InvalidEvent, match=said):
            unpack(packed, 100)
