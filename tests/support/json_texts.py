"""Hypothesis strategies for JSON texts as hostile clients spell them, for the property tests."""

import json
from itertools import chain

from hypothesis import strategies as st

__all__ = ["hostile_payloads", "json_values", "member_texts", "object_texts", "price_texts", "whitespace"]

NAMES = ["eventId", "event_id", "eventName", "eventTimestamp", "userId", "isFirstVisit", "product", "_ingest", "a", ""]

whitespace = st.text(" \t\n\r", max_size=2)
digits = st.text("0123456789", min_size=1, max_size=25)
number_texts = st.builds(
    lambda sign, whole, fraction, exponent: sign + (whole.lstrip("0") or "0") + fraction + exponent,
    st.sampled_from(["", "-"]),
    digits,
    st.just("") | digits.map(".".__add__),
    st.just("") | st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), digits),
)


def _escaped(text: str) -> str:
    """The same string with every character as an escape."""
    units = text.encode("utf-16-be", "surrogatepass")
    return '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2)) + '"'


any_text = st.text(st.characters(), max_size=12)  # surrogates included
string_texts = st.one_of(
    any_text.map(json.dumps),
    any_text.map(_escaped),
    st.text(max_size=12).map(lambda text: json.dumps(text, ensure_ascii=False)),
)
scalar_texts = st.one_of(
    number_texts, string_texts, st.sampled_from(["true", "false", "null", '""', "0", "-0.0", "1e400"])
)
name_texts = (
    st.sampled_from(NAMES).flatmap(lambda name: st.sampled_from([json.dumps(name), _escaped(name)])) | string_texts
)


def _array(parts: list[str]) -> str:
    return "[" + ",".join(parts) + "]"


def _object(parts: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in parts) + "}"


json_values = st.recursive(
    scalar_texts,
    lambda inner: (
        st.lists(inner, max_size=3).map(_array) | st.lists(st.tuples(name_texts, inner), max_size=3).map(_object)
    ),
    max_leaves=8,
)

member_texts = st.builds(
    lambda name, before, after, value: f"{name}{before}:{after}{value}", name_texts, whitespace, whitespace, json_values
)


@st.composite
def object_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    """One JSON object with white space anywhere, and its members' texts."""

    def space() -> str:
        return draw(whitespace)

    members = draw(st.lists(member_texts, max_size=6))
    body = ",".join(f"{space()}{member}{space()}" for member in members) or space()
    return f"{space()}{{{body}}}{space()}", members


timestamp_texts = st.one_of(
    st.datetimes().map(lambda moment: json.dumps(moment.isoformat())),
    st.sampled_from(
        ['"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"2026-11-24"', '"2026-W48-2"', '"20261124T09"']
    ),
)
uuid_texts = st.uuids().map(lambda value: json.dumps(str(value).upper()))
price_texts = st.one_of(
    number_texts, number_texts.map(lambda text: f'" {text} "'), st.integers(-(2**65), 2**65).map(str), scalar_texts
)
brand_texts = st.one_of(
    scalar_texts, st.builds('{{"name": {}, "title": {}}}'.format, scalar_texts, scalar_texts), json_values
)


def _optional(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """No, one or two members of that name."""
    return st.lists(values.map(lambda value: f'"{name}": {value}'), max_size=2)


_products = st.tuples(
    _optional("id", scalar_texts),
    _optional("name", scalar_texts),
    _optional("brand", brand_texts),
    _optional("brandName", scalar_texts),
    _optional("price", price_texts),
    _optional("discountPrice", price_texts),
).map(lambda parts: "{" + ",".join(chain.from_iterable(parts)) + "}")

# Objects that look like events, with anything at all in the contract's members.
hostile_payloads = st.tuples(
    _optional("eventId", uuid_texts | scalar_texts | json_values),
    _optional("event_id", uuid_texts | scalar_texts),
    _optional("eventName", scalar_texts),
    _optional("eventTimestamp", timestamp_texts | scalar_texts),
    _optional("userId", scalar_texts),
    _optional("isFirstVisit", st.sampled_from(["true", '"false"', '"maybe"', "1"]) | scalar_texts),
    _optional("product", _products | json_values),
    _optional("_ingest", timestamp_texts.map(lambda text: f'{{"receivedAt": {text}}}') | json_values),
).map(lambda parts: "{" + ",".join(chain.from_iterable(parts)) + "}")
