"""Vega's own scripts in one file, as `vl-convert` has them: nothing is loaded from elsewhere."""

import gzip
from functools import cache
from hashlib import sha256
from threading import Lock
from typing import NamedTuple

import vl_convert

__all__ = ["Bundle", "bundle"]

# vega-embed brings the interpreter of expressions, which needs no `eval`.
SNIPPET = "window.clickstreamVega = { embed: vegaEmbed };"
MAKING = Lock()


class Bundle(NamedTuple):
    """The script, compressed with gzip, and a text that changes with it."""

    compressed: bytes
    etag: str


def bundle() -> Bundle:
    """Make the script. This takes some seconds, once; other threads wait for it."""
    with MAKING:
        return _made()


@cache
def _made() -> Bundle:
    script = vl_convert.javascript_bundle(SNIPPET).encode()
    return Bundle(gzip.compress(script, mtime=0), f'"{sha256(script).hexdigest()[:16]}"')
