"""Unpacks a body that was sent with `Content-Encoding: gzip`, within a limit."""

import zlib

from chalicelib.errors import EventTooLarge, InvalidEvent

__all__ = ["unpack"]

GZIP = zlib.MAX_WBITS | 16  # how zlib is told to expect gzip, and nothing else


def unpack(packed: bytes, most: int) -> bytes:
    """Unpack one gzip stream.

    Args:
        packed: The body as it was sent.
        most: The largest number of bytes to unpack. A body that holds more is given up after one byte more.

    Raises:
        EventTooLarge: The body holds more bytes than `most`.
        InvalidEvent: The body is not gzip, is damaged or cut off, or goes on after its end.
    """
    stream = zlib.decompressobj(GZIP)
    try:
        body = stream.decompress(packed, most + 1)
    except zlib.error as error:
        raise InvalidEvent("the body is not gzip, or is damaged") from error
    if len(body) > most:
        raise EventTooLarge(f"the event has more than {most} bytes when unpacked; at most {most} are accepted")
    if not stream.eof:
        raise InvalidEvent("the gzip of the body is cut off")
    if stream.unused_data:
        raise InvalidEvent("the body goes on after its gzip: send one gzip stream")
    return body
