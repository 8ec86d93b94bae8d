"""Joins the modules of the page into one script, since a file on a disk cannot load others."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

__all__ = ["joined"]

IMPORT = re.compile(r'^import (?P<names>\w+|\{[^}]*\}) from "(?P<path>\.[^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export const (\w+)", re.MULTILINE)
DEFAULT = re.compile(r"^export default ", re.MULTILINE)
LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(first: Path, instead: Mapping[Path, Path]) -> str:
    """Join a module with all that it imports. Each becomes a function that gives its exports, after those it needs.

    Args:
        first: The module that is run.
        instead: The module that takes the place of another.

    Returns:
        One script, for an element `<script type="module">`.
    """
    names: dict[Path, str] = {}
    parts: list[str] = []

    def name_of(path: Path) -> str:
        module = instead.get(path, path)
        if module not in names:
            imported = partial(constant, module)
            text = IMPORT.sub(imported, module.read_text("utf-8"))
            names[module] = f"module{len(names)}"
            parts.append(f"const {names[module]} = {_function(module, text)};\n")
        return names[module]

    def constant(module: Path, found: re.Match[str]) -> str:
        """Write an import as a constant: `{ a as b }` is `{ a: b }` there."""
        exports = name_of((module.parent / found["path"]).resolve())
        is_own = found["names"].startswith("{")
        return f"const {found['names'].replace(' as ', ': ')} = {exports}{'' if is_own else '.own'};"

    name_of(first)
    return "".join(parts)


def _function(module: Path, text: str) -> str:
    exports = EXPORT.findall(text)
    body = EXPORT.sub(r"const \1", text)
    if DEFAULT.search(body):
        body, exports = DEFAULT.sub("const own = ", body), [*exports, "own"]
    if left := LEFT.search(body):
        raise AssertionError(f"{module} has a line that cannot be joined: {left[0]}")
    return f"(() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})()"
