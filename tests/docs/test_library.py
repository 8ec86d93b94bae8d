"""docs/library.md is true: it names all of the public face, and its examples run."""

import ast
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import analysis
from analysis.lake.compaction import compact
from analysis.lake.location import location_of
from command_line.home import BUCKET
from tests.support.samples import small_sample

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


class TestLibraryPage:
    def test_every_public_name_has_an_example(self) -> None:
        """Each is imported by one, and from `analysis` itself; so is nothing else."""
        imports = [node for code in EXAMPLES for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
        assert {node.module for node in imports} == {"analysis"}
        assert sorted({alias.name for node in imports for alias in node.names}) == sorted(analysis.__all__)

    def test_its_table_names_them_all(self) -> None:
        """Each once."""
        table = "".join(line for line in PAGE.splitlines() if line.startswith("| ["))
        assert sorted(re.findall(r"`(\w+)`", table)) == sorted(analysis.__all__)

    def test_its_headings_can_be_linked_to(self) -> None:
        """From the table."""
        anchors = {line.lstrip("# ").lower().replace(" ", "-") for line in PAGE.splitlines() if line.startswith("## ")}
        assert set(re.findall(r"\(#([a-z-]+)\)", PAGE)) == anchors

    def test_every_example_runs(
        self,
        new_database: Callable[[], AbstractContextManager[str]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """From top to bottom, over a sample in raw and in the warehouse, of which both say the same."""
        assert len(EXAMPLES) > 20
        monkeypatch.delenv("RAW_BUCKET_NAME", raising=False)
        monkeypatch.setenv("CLICKSTREAM_HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        names: dict[str, Any] = {}
        with new_database() as url:
            small_sample(tmp_path / "home", url)
            monkeypatch.setenv("DW_URL", url)
            compact(tmp_path / "home" / "s3" / BUCKET, location_of(), now=datetime.now(UTC) + timedelta(days=1))
            for code in EXAMPLES:
                exec(compile(code, "docs/library.md", "exec"), names)  # noqa: S102  # our own page
            raw, warehouse = (analysis.overview(names[name], names["within"]) for name in ("raw", "warehouse"))
        assert raw["events"].item() > 1000
        assert raw.equals(warehouse)
        printed = capsys.readouterr().out
        assert "this includes a sample" in printed
        assert "there is no directory no/such/directory" in printed
        assert (tmp_path / "funnel.svg").stat().st_size > 1000
