"""Text that steers a terminal, and whether a text does."""

__all__ = ["STEERING", "steers"]

# Clears the screen, and sets the title, of most terminals; then the same introduced by one C1 character.
STEERING = "\x1b[2J\x1b]0;owned\x07\x9b2J"


def steers(text: str) -> bool:
    """Whether a character of it, line breaks aside, does more than to be seen."""
    return any(not letter.isprintable() for letter in text.replace("\n", ""))
