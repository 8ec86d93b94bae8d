"""What should become of a body, said a second time and another way than by the code under test."""

import json
from collections.abc import Iterator

__all__ = ["Broken", "accepts", "check_stored"]

MOST_LEVELS = 100
BLANK = " \t\n\r"
INGEST = "_ingest"
MEMBERS = ["receivedAt", "sourceIp", "userAgent", "method", "path", "requestId", "apiId", "stage", "traceId"]


class Broken(AssertionError):
    """An invariant does not hold."""


def accepts(body: bytes) -> bool:
    """Whether it is one JSON object in UTF-8, of at most a hundred levels, as RFC 8259 has it."""
    try:
        value = json.loads(_text(body), parse_constant=_refuse, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    # Few brackets cannot be many levels.
    return body.count(b"{") + body.count(b"[") <= MOST_LEVELS or max(_levels(_text(body))) <= MOST_LEVELS


def check_stored(body: bytes, stored: bytes) -> None:
    """Raise Broken unless every member of the body is stored, byte for byte, in order, and `_ingest` comes last."""
    *members, last = _members(stored.decode())
    kept = [member for member in _members(_text(body)) if _name(member) != INGEST]
    if members != kept:
        raise Broken(f"sent {kept!r}, stored {members!r}")
    added = json.loads(f"{{{last}}}")
    if list(added) != [INGEST] or list(added[INGEST]) != MEMBERS:
        raise Broken(f"the last member is {last!r}")


def _text(body: bytes) -> str:
    text = body.decode()
    return text[1:] if text.startswith("\ufeff") else text


def _refuse(name: str) -> None:
    raise ValueError(name)


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """Where brackets and commas are that stand in no string."""
    is_in_string = is_escaped = False
    for place, character in enumerate(text):
        if is_in_string:
            is_in_string = is_escaped or character != '"'
            is_escaped = not is_escaped and character == "\\"
        elif character == '"':
            is_in_string = True
        elif character in "{}[],":
            yield place, character


def _levels(text: str) -> Iterator[int]:
    level = 0
    for _, character in _marks(text):
        level += {"{": 1, "[": 1, "}": -1, "]": -1}.get(character, 0)
        yield level


def _members(text: str) -> list[str]:
    """The texts of an object's members, without the blanks around them."""
    level, start, found = 0, 0, []
    for place, character in _marks(text):
        level += {"{": 1, "[": 1, "}": -1, "]": -1}.get(character, 0)
        if level == 1 and character == "{":
            start = place + 1
        elif (level == 1 and character == ",") or (level == 0 and character == "}"):
            found.append(text[start:place].strip(BLANK))
            start = place + 1
    return [] if found == [""] else found


def _name(member: str) -> str:
    (name,) = json.loads(f"{{{member}}}")
    return str(name)
