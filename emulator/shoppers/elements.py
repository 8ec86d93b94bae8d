"""What a shopper clicks: elements of the shop's pages, as the publisher describes them in a `click`."""

from typing import Any

__all__ = ["button", "link"]

TEXT_LENGTH = 160  # characters of an element's text that the publisher keeps


def link(text: str, identifier: str | None = None, **dataset: str) -> dict[str, Any]:
    """An `<a>`, with its id if it has one."""
    return _element("a", identifier, text, dataset)


def button(text: str, identifier: str | None = None, **dataset: str) -> dict[str, Any]:
    """A `<button>`, with its id if it has one."""
    return _element("button", identifier, text, dataset)


def _element(tag: str, identifier: str | None, text: str, dataset: dict[str, str]) -> dict[str, Any]:
    return {"tag": tag, "id": identifier, "role": None, "text": text[:TEXT_LENGTH], "dataset": dataset}
