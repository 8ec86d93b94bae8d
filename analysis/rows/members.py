"""Decodes the members of many raw objects at once, if the result is certain to be exact.

Exact means: as `chalicelib.json_object` reads them. msgspec is as strict, and also takes the last of duplicate members.
But it does not check the UTF-8 of unwanted members, or the number of levels; this module does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from chalicelib.json_object import MAX_DEPTH, Number

__all__ = ["Members", "Values"]

# One value per object: text, a whole number as int, another number as Number, a boolean, None, the bytes of raw JSON,
# or a list or dict, which fits no column.
Values: TypeAlias = list[Any]


@dataclass
class _Member:
    """One name on the path to the wanted members."""

    path: str = ""
    is_wanted: bool = False
    is_raw: bool = False
    children: dict[str, "_Member"] = field(default_factory=dict)

    def add(self, names: Sequence[str], *, is_raw: bool) -> None:
        """Mark the member at the end of these names as wanted."""
        if not names:
            self.is_wanted, self.is_raw = True, is_raw
            return
        path = f"{self.path}.{names[0]}".removeprefix(".")
        self.children.setdefault(names[0], _Member(path)).add(names[1:], is_raw=is_raw)


class _Objects:
    """The objects at one path as msgspec structs, with their wanted members only."""

    def __init__(self, member: _Member) -> None:
        self._members = [
            (child, attrgetter(name), _Objects(child) if child.children else None)
            for name, child in member.children.items()
        ]
        fields = [
            (name, _type(child, inner), msgspec.Raw() if child.is_raw else None)
            for name, (child, _, inner) in zip(member.children, self._members, strict=True)
        ]
        # The structs live briefly and hold no cycle, so the garbage collector can ignore them.
        self.struct = msgspec.defstruct("Object", fields, gc=False)
        self._nothing = self.struct()

    def values(self, objects: Values) -> dict[str, Values]:
        """Give the values of all wanted members by path, one per object; None if the object or the member is absent."""
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
    """Give the type that msgspec decodes; it refuses an object with any other type there."""
    if inner is None:
        return msgspec.Raw if child.is_raw else Any
    return inner.struct | str | None if child.is_wanted else inner.struct | None


class Members:
    """Decodes the members at some paths, such as `product.price`; members at the `raw` paths keep their JSON text."""

    def __init__(self, paths: Iterable[tuple[str, ...]], raw: Iterable[tuple[str, ...]] = ()) -> None:
        root = _Member()
        for path in paths:
            root.add(path, is_raw=False)
        for path in raw:
            root.add(path, is_raw=True)
        self._objects = _Objects(root)
        self._decoder = msgspec.json.Decoder(self._objects.struct, float_hook=Number)

    def decode(self, bodies: Iterable[bytes]) -> tuple[list[int], Mapping[str, Values]]:
        """Decode bodies.

        Returns:
            The places of the decoded bodies, and for each path one value per decoded body. The other bodies are
            unusual JSON objects, or not JSON objects at all; the contract's own parser decides about them.
        """
        places, objects = [], []
        decode = self._decoder.decode
        for place, body in enumerate(bodies):
            try:
                # With at most MAX_DEPTH brackets, a body cannot be too deep. To search is quicker than to count.
                brackets = body.count(b"{") + (body.count(b"[") if b"[" in body else 0)
                if brackets <= MAX_DEPTH and (body.isascii() or body.decode()):
                    objects.append(decode(body))
                    places.append(place)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
        return places, self._objects.values(objects)
