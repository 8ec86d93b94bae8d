"""What a reader sees in source and pages is easy to read: no hard phrase stands in text, comments or docs."""

import ast
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hard_phrases import hard_phrases

ROOT = Path(__file__).parents[2]
# Files, and folders with everything below them.
ROOTS = (
    "chalice_app/app.py",
    "chalice_app/chalicelib",
    "command_line",
    "analysis/errors.py",
    "analysis/raw",
    "analysis/rows",
    "analysis/metrics",
    "analysis/checks",
    "analysis/commands",
)
# Files and folders below the roots that nobody has edited yet.
NOT_YET = (
    "chalice_app/chalicelib/warehouse/",
    "chalice_app/chalicelib/json_object.py",
    "command_line/home.py",
    "analysis/raw/tombstones.py",
    "analysis/commands/backfill.py",
    "analysis/commands/erase.py",
    "analysis/commands/redrive.py",
    "analysis/commands/rejects.py",
    "analysis/commands/upgrade.py",
)


def files(roots: tuple[str, ...]) -> list[str]:
    """The source files and pages at or below the roots, as paths of the repository."""
    paths = [path for root in map(ROOT.joinpath, roots) for path in (root, *root.rglob("*"))]
    names = (path.relative_to(ROOT).as_posix() for path in paths if path.suffix in READERS)
    return sorted(name for name in names if not name.startswith(NOT_YET))


def texts_of_python(path: Path) -> Iterator[str]:
    """String literals, docstrings among them, and blocks of comments."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    with path.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    yield " ".join(token.string.lstrip("# ") for token in tokens)


def texts_of_sql(path: Path) -> Iterator[str]:
    """Comments."""
    yield " ".join(line.partition("--")[2] for line in path.read_text().splitlines())


def texts_of_page(path: Path) -> Iterator[str]:
    """All of it."""
    yield path.read_text()


READERS = {".py": texts_of_python, ".sql": texts_of_sql, ".md": texts_of_page}


class TestWords:
    @pytest.mark.parametrize("name", files(ROOTS))
    def test_no_text_is_hard_to_read(self, name: str) -> None:
        """Write a short sentence in ordinary order instead, subject first."""
        path = ROOT / name
        assert [found for text in READERS[path.suffix](path) for found in hard_phrases(text)] == []

    @pytest.mark.parametrize(
        "phrase",
        [
            "0 of 17 checks, without the warehouse, found nothing",
            "3 sessions are none",
            "its name is none that is unknown",
            "`erased` (its person was)",
            "takes no silence for an answer",
            "those of them that none has",
            "those that were\n    dismissed",
        ],
    )
    def test_hard_phrases_are_found(self, phrase: str) -> None:
        """Also across a line break."""
        assert hard_phrases(f"Well: {phrase}.") != []

    @pytest.mark.parametrize(
        "phrase", ["3 sessions break the 30-minute rule", "expected: none", "it is nonetheless sent", "of it, that is"]
    )
    def test_plain_phrases_are_not(self, phrase: str) -> None:
        """Words that only look alike."""
        assert hard_phrases(phrase) == []
