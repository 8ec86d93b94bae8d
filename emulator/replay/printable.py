"""Makes text from elsewhere safe to print."""

import re

__all__ = ["printable", "without_credentials"]


def printable(text: str) -> str:
    """The text as one short line, without anything that a terminal would obey."""
    line = " ".join(text.split())[:200]
    return "".join(character if character.isprintable() else "\ufffd" for character in line)


def without_credentials(url: str) -> str:
    """The URL without a user and password in front of its host."""
    return re.sub(r"//[^/?#]*@", "//", url)
