"""Phrases that are hard to read: the tests keep them out of what people read."""

import re

__all__ = ["hard_phrases"]

PATTERNS = (
    r"(?<!there )\b(is|are|was|were) (?-i:none)\b",
    r"\bof (it|them|these|those) (that|which|who)\b",
    r"\bthose (of them )?(that|which|who)\b",
    r"\btakes? no \w+ for\b",
    r"\bno silence\b",
    r"\bchecks?, (with|without) the warehouse\b",
    r"\bchecks? found nothing\b",
    r"\(its person was\)",
    r"\bis none that\b",
    r"\bnone that is\b",
)
_HARD = re.compile("|".join(PATTERNS), re.IGNORECASE)


def hard_phrases(text: str) -> list[str]:
    """Find the hard phrases in a text, each with the words around it; line breaks count as spaces."""
    words = " ".join(text.split())
    return [words[max(found.start() - 40, 0) : found.end() + 40] for found in _HARD.finditer(words)]
