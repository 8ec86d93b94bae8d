"""Mutations that keep JSON what it is: bytes changed at random hardly ever do."""

from random import Random

from tests.fuzz.seeds import WORDS

__all__ = ["with_member"]

NAMES = tuple(word.encode() for word in WORDS if word.startswith('"'))
VALUES = tuple(word.encode() for word in WORDS) + tuple(f'"{word}"'.encode() for word in WORDS if '"' not in word)


def with_member(data: bytes, most: int, random: Random) -> bytes:
    """One more member somewhere in an object; the same data if there is none, or no room."""
    places = [place + 1 for place, byte in enumerate(data) if byte in b"{,"]
    if not places:
        return data
    place = random.choice(places)
    member = random.choice(NAMES) + b":" + _value(random)
    ending = data[place : place + 1]
    changed = data[:place] + member + (b"" if ending == b"}" else b",") + data[place:]
    return changed if len(changed) <= most else data


def _value(random: Random) -> bytes:
    """A word as it is, as a string, or one level down."""
    value = random.choice(VALUES)
    how = random.random()
    if how < 0.1:
        return b"[" + value + b"]"
    return b"{" + random.choice(NAMES) + b":" + value + b"}" if how < 0.3 else value
