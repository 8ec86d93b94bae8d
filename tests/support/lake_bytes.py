"""Every byte of a lake's directory, also of what is compressed in its files."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import zstandard

__all__ = ["lake_bytes"]

ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
SYNC = 16  # bytes of the marker between the blocks of an Avro file


def lake_bytes(directory: Path) -> bytes:
    """Give all files one after another: their names, their bytes, and what is compressed in them."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return b"\n".join(part for path in files for part in _parts(path))


def _parts(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield str(path).encode()
    yield content
    if path.suffix == ".parquet":
        yield from _frames(content)
        yield pl.read_parquet(path).write_ndjson().encode()
    elif path.suffix == ".avro":
        yield from _blocks(content)


def _frames(content: bytes) -> Iterator[bytes]:
    """Unpack the pages of a Parquet file, those of dictionaries too."""
    start = content.index(ZSTD_FRAME)
    while start >= 0:
        yield zstandard.ZstdDecompressor().decompressobj().decompress(content[start:])
        start = content.find(ZSTD_FRAME, start + 1)


def _blocks(content: bytes) -> Iterator[bytes]:
    """Unpack the blocks of an Avro file: each begins with two numbers of variable length."""
    for block in content.split(content[-SYNC:])[1:-1]:
        start = 0
        for _ in range(2):
            while block[start] & 0x80:
                start += 1
            start += 1
        yield zlib.decompressobj(-zlib.MAX_WBITS).decompress(block[start:])
