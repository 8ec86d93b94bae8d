"""Where a page of a list ends, as text in the address."""

from datetime import datetime

from analysis.errors import AnalysisError

__all__ = ["PLACE", "place_of", "place_text"]

# The option of the page that has the place.
PLACE = "place"


def place_text(place: tuple[datetime, *tuple[str, ...]]) -> str:
    """Write a place: the time, then the other values."""
    time, *others = place
    return " ".join([time.isoformat(timespec="microseconds").replace("+00:00", "Z"), *others])


def place_of(text: str, parts: int) -> tuple[datetime, *tuple[str, ...]] | None:
    """Read a place of so many values back; None for the first page. Raises AnalysisError."""
    if not text:
        return None
    time, *others = text.split(" ", parts - 1)
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or len(others) != parts - 1:
        raise AnalysisError(
            f"{PLACE} is {text!r}, which no page of this list ends with: leave it out for the first page"
        )
    return found, *others
