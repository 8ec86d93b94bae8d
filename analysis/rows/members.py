"""The members of many raw objects by their path, decoded together where that is known to be exact.

Exact means: as `chalicelib.json_object` reads them. msgspec is as strict, and of duplicate members takes the last, too;
but it does not look at the UTF-8 of members that nobody wants, or at the number of levels: that is asked here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from chalicelib.json_object import MAX_DEPTH, Number

__all__ = ["Members", "Values"]

# Per object: text, a whole number as int, any other as Number, a boolean, None, or the bytes of raw JSON; also lists
# and dicts, which no column takes.
Values: TypeAlias = list[Any]


@dataclass
class _Member:
    """One name on the way to the members that are wanted."""

    path: str = ""
    is_wanted: bool = False
    is_raw: bool = False
    children: dict[str, "_Member"] = field(default_factory=dict)

    def add(self, names: Sequence[str], *, is_raw: bool) -> None:
        """Want the member at the end of these names."""
        if not names:
            self.is_wanted, self.is_raw = True, is_raw
            return
        path = f"{self.path}.{names[0]}".removeprefix(".")
        self.children.setdefault(names[0], _Member(path)).add(names[1:], is_raw=is_raw)


class _Objects:
    """Objects of one place as msgspec structs: what is wanted of them, and how to take it out again."""

    def __init__(self, member: _Member) -> None:
        self._members = [
            (child, attrgetter(name), _Objects(child) if child.children else None)
            for name, child in member.children.items()
        ]
        fields = [
            (name, _type(child, inner), msgspec.Raw() if child.is_raw else None)
            for name, (child, _, inner) in zip(member.children, self._members, strict=True)
        ]
        # They live shortly and hold no cycle: nothing for the garbage collector.
        self.struct = msgspec.defstruct("Object", fields, gc=False)
        self._nothing = self.struct()

    def values(self, objects: Values) -> dict[str, Values]:
        """The values of all wanted members by path, one per object; None where it has none, or is no object."""
        found = {}
        struct, nothing = self.struct, self._nothing
        objects = [each if type(each) is struct else nothing for each in objects]
        for child, get, inner in self._members:
            values = list(map(get, objects))
            if inner is None:
                found[child.path] = values
                continue
            if child.is_wanted:
                found[child.path] = [value if isinstance(value, str) else None for value in values]
            found |= inner.values(values)
        return found


def _type(child: _Member, inner: _Objects | None) -> Any:  # noqa: ANN401  # a type that is made at run time
    """The type that msgspec decodes; an object with anything else there is refused."""
    if inner is None:
        return msgspec.Raw if child.is_raw else Any
    return inner.struct | str | None if child.is_wanted else inner.struct | None


class Members:
    """The members at some paths, such as `product.price`; those of `raw` as their own text."""

    def __init__(self, paths: Iterable[tuple[str, ...]], raw: Iterable[tuple[str, ...]] = ()) -> None:
        root = _Member()
        for path in paths:
            root.add(path, is_raw=False)
        for path in raw:
            root.add(path, is_raw=True)
        self._objects = _Objects(root)
        self._decoder = msgspec.json.Decoder(self._objects.struct, float_hook=Number)

    def decode(self, bodies: Iterable[bytes]) -> tuple[list[int], Mapping[str, Values]]:
        """Which of the bodies were decoded, by their places, and for each path one value per body that was.

        The others are for the contract's own parser: they are no JSON objects, or unusual ones.
        """
        places, objects = [], []
        decode = self._decoder.decode
        for place, body in enumerate(bodies):
            try:
                # No more brackets than levels are allowed: not too deep. To look for one is quicker than to count.
                brackets = body.count(b"{") + (body.count(b"[") if b"[" in body else 0)
                if brackets <= MAX_DEPTH and (body.isascii() or body.decode()):
                    objects.append(decode(body))
                    places.append(place)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
        return places, self._objects.values(objects)
