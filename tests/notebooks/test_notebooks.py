import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import analysis
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from tests.support.contents import database_contents, directory_contents
from tests.support.hard_phrases import hard_phrases
from tests.support.samples import jupyter_environment, small_sample

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

NewDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home with a sample, whose stack does not run."""
    home = tmp_path_factory.mktemp("notebooks") / "home"
    small_sample(home)
    return home


@pytest.fixture(scope="module")
def foreign_url(new_database: NewDatabase) -> Iterator[str]:
    """Give the URL of somebody's warehouse, which has one row."""
    with new_database() as url:
        warehouse = Warehouse(url)
        warehouse.insert(flatten(b"{}", "events/2026/11/24/09/event-1.json", datetime.now(UTC)))
        warehouse.close()
        yield url


def cells_of(path: Path) -> list[str]:
    """The code of a notebook."""
    cells = json.loads(path.read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def printed_in(notebook: dict[str, Any]) -> str:
    """Everything that the cells of an executed notebook print or show, charts' texts included."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    shown = [text for output in outputs for text in (output.get("text", ""), *output.get("data", {}).values())]
    return "\n".join("".join(text) for text in shown if isinstance(text, str | list))


def execute(*arguments: str | Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "jupyter-execute"
    return subprocess.run(
        [program, *arguments, "--timeout", "60"], env=environment, capture_output=True, text=True, check=False
    )


class TestNotebooks:
    @pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
    def test_it_is_committed_without_outputs(self, path: Path) -> None:
        """Nobody's events are in the repository."""
        cells = json.loads(path.read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)

    @pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
    def test_it_uses_only_the_public_face(self, path: Path) -> None:
        """Modules behind `analysis` may move without a notebook noticing."""
        nodes = [node for cell in cells_of(path) for node in ast.walk(ast.parse(cell))]
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not [name for name in modules if name.partition(".")[0] == "analysis"]
        ours = [node for node in imports if str(node.module).partition(".")[0] in ("analysis", "emulator")]
        assert {node.module for node in ours} == {"analysis"}
        assert {alias.name for node in ours for alias in node.names} <= set(analysis.__all__)

    @pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
    def test_its_first_cell_names_the_zone(self, path: Path) -> None:
        """One line to change, and the history and every chart with an axis of time take it."""
        first, *others = cells_of(path)
        assert "\nZONE = None  # " in first
        assert "zone=ZONE)" in first
        charts = [
            line for cell in others for line in cell.splitlines() if re.search("_over_time\\(|retention.ret", line)
        ]
        assert [line for line in charts if line.startswith("charts.") and "within.zone" not in line] == []

    @pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
    @pytest.mark.slow
    def test_it_runs_from_top_to_bottom(self, path: Path, home: Path, foreign_url: str, tmp_path: Path) -> None:
        """It has charts, loads nothing from elsewhere, says in plain words what is a sample, and writes nothing."""
        before = database_contents(foreign_url), directory_contents(home)
        environment = jupyter_environment(home, DW_URL=foreign_url)
        done = execute(path, "--output", tmp_path / path.name, environment=environment)
        assert done.returncode == 0, done.stderr
        text = (tmp_path / path.name).read_text()
        assert "image/svg+xml" in text
        assert "application/vnd.vegalite.v5+json" in text  # which JupyterLab draws with tooltips
        assert "<script" not in text
        assert "includes a sample" in text
        assert hard_phrases(printed_in(json.loads(text))) == []
        assert (database_contents(foreign_url), directory_contents(home)) == before


@pytest.mark.slow
class TestEmptyHome:
    def test_no_notebook_writes_anything(self, tmp_path: Path, warehouse_url: str) -> None:
        """Neither into the warehouse that DW_URL names, nor at home: each says how to get events."""
        before = database_contents(warehouse_url)
        copies = [tmp_path / path.name for path in NOTEBOOKS]
        for path, copy in zip(NOTEBOOKS, copies, strict=True):
            copy.write_text(path.read_text())
        environment = jupyter_environment(tmp_path / "home", DW_URL=warehouse_url)
        # Every cell runs, whatever became of those before it.
        done = execute(*copies, "--allow-errors", "--inplace", environment=environment)
        assert done.returncode == 0, done.stderr
        for copy in copies:
            assert "write a sample with 'python -m emulator sample'" in copy.read_text()
        assert database_contents(warehouse_url) == before
        assert not (tmp_path / "home").exists()
