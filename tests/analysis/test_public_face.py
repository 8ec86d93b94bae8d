import ast
import subprocess
import sys
from pathlib import Path

import pytest

import analysis

SOURCE = Path(analysis.__file__)
SLOW = ("polars", "duckdb", "boto3", "botocore", "altair", "psycopg", "obstore", "rich")


def typed_imports() -> dict[str, str]:
    """What type checkers see: each public name, and the module that it comes from."""
    (block,) = [
        node
        for node in ast.parse(SOURCE.read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def loaded_by(*arguments: str) -> set[str]:
    """Which slow libraries a Python process imports, from its own account of imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=SOURCE.parents[1],
    )
    modules = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "analysis" in modules
    return modules & set(SLOW)


class TestPublicFace:
    def test_it_is_what_type_checkers_see(self) -> None:
        """`__all__`, the imports for type checkers, and what is loaded at run time agree, also on the modules."""
        loaded = {name: analysis._MODULES.get(name, "analysis") for name in analysis.__all__}  # type: ignore[attr-defined]
        assert loaded == typed_imports()
        assert set(analysis._MODULES) == set(analysis.__all__) - {"charts"}  # type: ignore[attr-defined]

    @pytest.mark.parametrize("name", analysis.__all__)
    def test_each_name_can_be_imported(self, name: str) -> None:
        """It is the object that its module defines, and is found again without a search."""
        module = sys.modules.get(typed_imports()[name]) or __import__(typed_imports()[name], fromlist=[name])
        assert getattr(analysis, name) is getattr(module, name)
        assert name in vars(analysis)

    def test_no_name_is_one_of_a_module_too(self) -> None:
        """Importing `analysis.x` would put the module in the place of the name; `charts` is meant to be a module."""
        modules = {path.stem for path in SOURCE.parent.iterdir() if path.suffix == ".py" or path.is_dir()}
        assert modules & set(analysis.__all__) == {"charts"}

    def test_a_name_that_is_not_there_is_an_error(self) -> None:
        """As of any module."""
        with pytest.raises(AttributeError, match="module 'analysis' has no attribute 'funel'"):
            analysis.funel  # type: ignore[attr-defined]  # noqa: B018

    def test_a_console_can_complete_every_name(self) -> None:
        """Also names that are not loaded yet."""
        assert set(analysis.__all__) <= set(dir(analysis))

    def test_it_is_marked_as_typed(self) -> None:
        """For type checkers of other projects (PEP 561)."""
        assert (SOURCE.parent / "py.typed").is_file()

    def test_importing_it_is_cheap(self) -> None:
        """No library that takes long is imported before it is needed, also not for `--help`."""
        assert loaded_by("-c", "import analysis") == set()
        assert loaded_by("-m", "analysis", "--help") == set()
        assert loaded_by("-c", "import analysis; analysis.read_events") >= {"polars"}
        assert loaded_by("-c", "from analysis import LakeEvents, open_history, overview") == {"polars", "duckdb"}
