"""Where code lies, and what may import what."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# By the name under which it is imported.
PACKAGES = {
    "chalicelib": ROOT / "chalice_app" / "chalicelib",
    **{name: ROOT / name for name in ("command_line", "analysis", "emulator", "benchmarks", "infra")},
}
# Each imports nothing of what follows.
ORDER = ("chalicelib", "command_line", "analysis", "emulator", "benchmarks")

SOURCE = ("chalice_app", "publisher", "command_line", "analysis", "emulator", "benchmarks", "infra", "notebooks")
MOST_CHILDREN = 15
# Nobody looks for these.
UNCOUNTED = ("__init__.py", "__pycache__", "py.typed")

# Folders of tests that mirror no folder of source.
OTHER_TESTS = {
    "support": "what several tests use",
    "events": "real payloads",
    "docs": "the README, docs/ and the requirements",
    "browsers": "a visit to a shop in Firefox and WebKitGTK",
    "lint_web": "rules for the scripts of the publisher and of the pages",
    "fuzz": "hostile bytes through ingest and projection",
}


def folders(directory: Path) -> Iterator[Path]:
    """The directory and all folders below it except folders that no commit has."""
    yield directory
    for child in directory.iterdir():
        if child.is_dir() and not child.name.startswith((".", "__pycache__", "node_modules")):
            yield from folders(child)


def children(folder: Path) -> list[str]:
    return [child.name for child in folder.iterdir() if child.name not in UNCOUNTED and not child.name.startswith(".")]


def modules() -> dict[str, Path]:
    """Every module of ours by its full name; packages included."""
    found = {}
    for package, directory in PACKAGES.items():
        for path in directory.rglob("*.py"):
            parts = path.relative_to(directory).with_suffix("").parts
            found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(path: Path, *, lazy: bool = True) -> set[str]:
    """The modules of ours that a file imports, at its top level, or anywhere in it."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            # What is imported is a module of a package, or something in a module.
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in full}
    return {name for name in names if name.partition(".")[0] in PACKAGES}


def importing(package: str, *forbidden: str) -> list[str]:
    """Each import by a package of another that it may not import."""
    return [
        f"{name} imports {imported}"
        for name, path in sorted(MODULES.items())
        if name.partition(".")[0] == package
        for imported in sorted(imports(path))
        if imported.partition(".")[0] in forbidden
    ]


class TestImports:
    @pytest.mark.parametrize("package", ORDER[:-1])
    def test_they_run_one_way(self, package: str) -> None:
        """By the order above; those inside of functions, too."""
        assert importing(package, *ORDER[ORDER.index(package) + 1 :], "infra") == []

    def test_a_deployment_needs_no_more_than_it_deploys(self) -> None:
        """It runs where nobody analyses, emulates or measures."""
        assert importing("infra", "analysis", "emulator", "benchmarks") == []

    def test_none_goes_round_in_a_circle(self) -> None:
        """At the top level of modules, where it would depend on who is imported first."""
        graph = {name: imports(path, lazy=False) for name, path in MODULES.items()}
        try:
            list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            pytest.fail(" imports ".join(reversed(error.args[1])), pytrace=False)

    def test_every_package_is_looked_at(self) -> None:
        """Each has modules, and each is imported by somebody."""
        assert {name.partition(".")[0] for name in MODULES} == PACKAGES.keys()
        imported = {name.partition(".")[0] for path in MODULES.values() for name in imports(path)}
        assert imported >= {*ORDER[:-1], "infra"}


class TestFolders:
    @pytest.mark.parametrize("name", SOURCE)
    def test_none_has_more_than_fits_on_a_screen(self, name: str) -> None:
        """Of files and folders, not counting what Python wants and nobody looks for."""
        crowded = {folder: len(children(folder)) for folder in folders(ROOT / name)}
        assert {folder: count for folder, count in crowded.items() if count > MOST_CHILDREN} == {}

    def test_tests_mirror_the_source(self) -> None:
        """A folder of tests is named as the folder that it tests, or its reason stands above."""
        astray = []
        for top in (ROOT / "tests").iterdir():
            if not top.is_dir() or top.name.startswith((".", "__")) or top.name in OTHER_TESTS:
                continue
            source = PACKAGES.get(top.name, ROOT / top.name)
            astray += [
                folder.relative_to(ROOT)
                for folder in folders(top)
                if not (source / folder.relative_to(top)).is_dir() and any(folder.glob("*.py"))
            ]
        assert astray == []
        assert [name for name in OTHER_TESTS if not (ROOT / "tests" / name).is_dir()] == []
