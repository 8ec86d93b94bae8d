"""Makes foreign text safe to print: it cannot steer the terminal, and a URL does not show its password."""

import re

__all__ = ["printable", "printable_lines", "short_line", "without_credentials"]

SHORT = 200  # characters


def printable(text: str) -> str:
    """Write text as one line; unprintable characters, line breaks included, become escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def printable_lines(text: str) -> str:
    """Apply `printable` to each line of a text."""
    return "\n".join(map(printable, text.split("\n")))


def short_line(text: str) -> str:
    """Shorten a text to one printable line with single spaces."""
    return printable(" ".join(text.split())[:SHORT])


def without_credentials(url: str) -> str:
    """Remove the user and the password in front of a URL's host."""
    return re.sub(r"//[^/?#]*@", "//", url)
