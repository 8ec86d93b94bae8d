"""Text that steers no terminal: anybody may send events, and what they hold is printed for who reads."""

__all__ = ["printable", "printable_lines"]


def printable(text: str) -> str:
    """One line, in which whatever is no printable character, line breaks among them, is an escape."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def printable_lines(text: str) -> str:
    """The same of each line of a text."""
    return "\n".join(map(printable, text.split("\n")))
