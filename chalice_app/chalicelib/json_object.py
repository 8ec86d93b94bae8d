"""Strict JSON objects: what RFC 8259 allows and no more, with numbers kept in their own spelling."""

import re
from collections.abc import Callable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias, cast

from chalicelib.errors import InvalidEvent

__all__ = ["MAX_DEPTH", "WHITESPACE", "Json", "JsonObject", "Number", "decode", "members", "parse"]

MAX_DEPTH = 100
WHITESPACE = " \t\n\r"

# A string that is never closed matches to the end of the text, so that no input is scanned twice.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]|NaN|-?Infinity', re.DOTALL)
_TYPE_NAMES = {"[": "an array", '"': "a string", "n": "null", "t": "a boolean", "f": "a boolean"}


class Number(str):
    """A JSON number in its own spelling: no digit is lost, and none is ever expanded."""

    __slots__ = ()


Json: TypeAlias = "dict[str, Json] | list[Json] | str | Number | bool | None"
JsonObject: TypeAlias = dict[str, Json]


class _NotJson(ValueError):
    """The decoder met NaN or an infinity."""


def _refuse_constant(name: str) -> None:
    raise _NotJson(name)


_decoder = JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)


def decode(body: bytes) -> str:
    """UTF-8 bytes to text, without a byte order mark. Raises InvalidEvent, also if nothing but white space is left."""
    try:
        text = body.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    if not text.strip(WHITESPACE):
        raise InvalidEvent("the body is empty: send one JSON object")
    return text


def parse(text: str) -> JsonObject:
    """Parse one JSON object; of duplicate members the last counts, and numbers become `Number`.

    Raises InvalidEvent, saying what is wrong and where, for anything else, and for more than MAX_DEPTH levels.
    """
    _check_depth(text)
    try:
        value = _decoder.decode(text)
    except JSONDecodeError as error:
        raise _not_json(error.msg.removesuffix(" at"), text, error.pos) from error
    except _NotJson as error:
        raise _not_json(f"{error} is not a JSON value", text, _first_constant(text)) from error
    if not isinstance(value, dict):
        raise InvalidEvent(
            f"the body is {_TYPE_NAMES.get(text.lstrip(WHITESPACE)[0], 'a number')}: send one JSON object"
        )
    return value


def members(text: str) -> Iterator[tuple[str, str]]:
    """Yield each top-level member of an object that `parse` has accepted: its decoded name, and its exact text."""
    position = _after_brace(text, 0).end()
    while text[position] != "}":
        start = position
        name, end = _decoder.raw_decode(text, start)
        _, end = _decoder.raw_decode(text, _after_colon(text, end).end())
        yield name, text[start:end]
        position = _after_comma(text, end).end()


def _matching(mark: str) -> Callable[[str, int], re.Match[str]]:
    """A function that matches a mark and the white space around it; for places where nothing else can stand."""
    pattern = re.compile(f"[{WHITESPACE}]*{mark}[{WHITESPACE}]*")
    return cast("Callable[[str, int], re.Match[str]]", pattern.match)


_after_brace, _after_colon, _after_comma = map(_matching, (r"\{", ":", ",?"))


def _not_json(problem: str, text: str, position: int) -> InvalidEvent:
    return InvalidEvent(f"the body is not JSON: {problem} {_place(text, position)}")


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return f"at line {line}, column {column}"


def _check_depth(text: str) -> None:
    """Raise InvalidEvent where the nesting first exceeds MAX_DEPTH; every Python's own limit is beyond that."""
    # Counting is quick and nearly always enough; only many brackets call for following them.
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKENS.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise InvalidEvent(f"the body is nested deeper than {MAX_DEPTH} levels {_place(text, token.start())}")


def _first_constant(text: str) -> int:
    """Where the first NaN or infinity stands outside a string."""
    return next(token.start() for token in _TOKENS.finditer(text) if token[0][0] in "N-I")
