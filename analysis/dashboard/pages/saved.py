"""Saved views and segments: small files below `dashboards/`, which a team reviews like code."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from analysis.dashboard.pages import PAGES
from analysis.dashboard.view import View
from analysis.errors import AnalysisError

__all__ = ["FOLDER", "Saved", "read_saved", "saved_text"]

FOLDER = Path(__file__).parents[3] / "dashboards"
NAMES = {"name", "view"}


@dataclass(frozen=True)
class Saved:
    """A part of an address with a name.

    Attributes:
        name: What people read.
        view: The names of the address that it sets, and their values.
    """

    name: str
    view: Mapping[str, tuple[str, ...]]

    @property
    def is_segment(self) -> bool:
        """Whether it changes only parts of the view on the screen, since it names no page."""
        return "page" not in self.view


def read_saved(folder: Path = FOLDER) -> tuple[list[Saved], list[str]]:
    """Read every file of a folder, which may be absent.

    Returns:
        The saved views in the order of the files' names; and for each bad file what is wrong with it.
    """
    saved, problems = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            saved.append(_read(path))
        except (AnalysisError, OSError, ValueError) as error:  # TOML's own and Unicode's are ValueErrors
            problems.append(f"{folder.name}/{path.name}: {error}")
    return saved, problems


def saved_text(view: View) -> str:
    """Write a view as such a file: all of it but for the language. Its name is the page's, for people to change."""
    parts: dict[str, list[str]] = {}
    for name, value in parse_qsl(view.query(), keep_blank_values=True):
        if name != "lang":
            parts.setdefault(name, []).append(value)
    lines = [f"{name} = {_quoted(values[0] if len(values) == 1 else values)}" for name, values in parts.items()]
    return "\n".join([f"name = {_quoted(view.page.capitalize())}", "", "[view]", *lines, ""])


def _quoted(value: str | list[str]) -> str:
    # TOML has the strings and arrays of JSON, but for one character that has to be escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(path: Path) -> Saved:
    content = tomllib.loads(path.read_text("utf-8"))
    if unknown := sorted(content.keys() - NAMES):
        raise AnalysisError(f"unknown: {', '.join(unknown)}; a file has a name and a table [view]")
    name, view = content.get("name"), content.get("view")
    if not isinstance(name, str) or not name.strip():
        raise AnalysisError('it has no name: write name = "…" on its first line')
    if not isinstance(view, dict) or not view:
        raise AnalysisError('it shows nothing: write a table [view] with parts of an address, as device = "mobile"')
    parts = {key: tuple(value if isinstance(value, list) else [value]) for key, value in view.items()}
    for key, values in parts.items():
        if not values or not all(isinstance(value, str) for value in values):
            raise AnalysisError(f"{key} is no text: write it as in the address, in quotation marks")
    View.parse(urlencode(parts, doseq=True), {page: PAGES[page].options for page in PAGES})
    return Saved(name.strip(), parts)
