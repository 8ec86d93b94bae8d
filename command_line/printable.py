"""Makes text from elsewhere safe to print: none of it steers the terminal, and no URL gives a password away."""

import re

__all__ = ["printable", "printable_lines", "short_line", "without_credentials"]

SHORT = 200  # characters


def printable(text: str) -> str:
    """One line, in which whatever is no printable character, line breaks among them, is an escape."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def printable_lines(text: str) -> str:
    """The same of each line of a text."""
    return "\n".join(map(printable, text.split("\n")))


def short_line(text: str) -> str:
    """The beginning of a text, as one printable line with single spaces."""
    return printable(" ".join(text.split())[:SHORT])


def without_credentials(url: str) -> str:
    """The URL without a user and password in front of its host."""
    return re.sub(r"//[^/?#]*@", "//", url)
