"""Makes text from elsewhere safe to print."""

__all__ = ["printable"]


def printable(text: str) -> str:
    """The text as one short line, without anything that a terminal would obey."""
    line = " ".join(text.split())[:200]
    return "".join(character if character.isprintable() else "\ufffd" for character in line)
