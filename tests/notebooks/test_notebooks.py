import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home without any event, which the first notebook fills."""
    return tmp_path_factory.mktemp("notebooks") / "home"


class TestNotebooks:
    @pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
    def test_it_is_committed_without_outputs(self, path: Path) -> None:
        """Nobody's events are in the repository."""
        cells = json.loads(path.read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)

    @pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
    def test_it_runs_from_top_to_bottom(self, path: Path, home: Path, tmp_path: Path) -> None:
        """On an empty local stack it makes its sample first; charts are there, and nothing is loaded from elsewhere."""
        environment = {name: value for name, value in os.environ.items() if name not in ("DW_URL", "RAW_BUCKET_NAME")}
        done = subprocess.run(  # our own notebook
            [
                Path(sys.executable).parent / "jupyter-execute",
                path,
                "--output",
                tmp_path / path.name,
                "--timeout",
                "60",
            ],
            env=environment | {"CLICKSTREAM_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        text = (tmp_path / path.name).read_text()
        assert "image/svg+xml" in text
        assert "<script" not in text
