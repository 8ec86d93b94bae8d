"""`make lint-web` reports what may not be in the scripts: each test plants a fault in a copy of them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.stack_process import ROOT

pytestmark = pytest.mark.slow

LINT = ROOT / "tests" / "lint_web"

# A script with one fault each, and the rule that has to name it.
FAULTS = {
    "innerHTML": ("export const put = (it, text) => { it.innerHTML = text; };", "no-unsanitized/property"),
    "outerHTML": ("export const put = (it, text) => { it.outerHTML = text; };", "no-unsanitized/property"),
    "adjacent": ("export const put = (it, t) => it.insertAdjacentHTML('beforeend', t);", "no-unsanitized/method"),
    "write": ("export const put = (text) => document.write(text);", "no-unsanitized/method"),
    "fragment": ("export const put = (r, t) => r.createContextualFragment(t);", "no-unsanitized/method"),
    "unsafe": ("export const put = (it, text) => it.setHTMLUnsafe(text);", "no-unsanitized/method"),
    "document": ("export const parse = (text) => Document.parseHTMLUnsafe(text);", "no-restricted-syntax"),
    "parser": ("export const parse = () => new DOMParser();", "no-restricted-globals"),
    "srcdoc": ("export const put = (it, text) => { it.srcdoc = text; };", "no-restricted-syntax"),
    "style": ("export const put = (it, text) => { it.style = text; };", "no-restricted-syntax"),
    "handler": ("export const put = (it, text) => it.setAttribute('onclick', text);", "no-restricted-syntax"),
    "eval": ("export const run = (text) => eval(text);", "no-eval"),
    "function": ("export const run = (text) => new Function(text);", "no-new-func"),
    "timeout": ("setTimeout('run()', 1);", "no-implied-eval"),
    "url": ("export const address = 'javascript:run()';", "no-script-url"),
    "dynamic": ("export const load = (name) => import(name);", "no-restricted-syntax"),
    "unused": ('import { icon } from "./art.js";', "no-unused-vars"),
    "unresolved": ('export { nothing } from "./nowhere.js";', "import-x/no-unresolved"),
    "unnamed": ('import { nobody } from "./art.js";\nnobody();', "import-x/named"),
    "publisher": ('import { trackNobody } from "/publisher/src/index.js";\ntrackNobody();', "import-x/named"),
    "undefined": ("export const run = () => nobody();", "no-undef"),
    "long": (f"export const text = '{'x' * 120}';", "max-len"),
    "lines": ("\n" * 149 + "run();", "max-lines"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the scripts beside the set-up that `make lint-web` uses."""
    (tmp_path / "tests").mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml", ".venv", "tests/lint_web", "tests/browsers"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("publisher", "emulator/web", "analysis/dashboard/static", "analysis/report/static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("node_modules", "dist"))
    return tmp_path


def lint(root: Path) -> str:
    """What `make lint-web` prints; it has to fail."""
    done = subprocess.run(["make", "lint-web"], cwd=root, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stdout


class TestRules:
    def test_each_planted_fault_is_reported(self, copy: Path) -> None:
        """By the rule that is there for it, and no other file is."""
        for name, (text, _rule) in FAULTS.items():
            (copy / "emulator" / "web" / "shop" / "parts" / f"planted-{name}.js").write_text(f"{text}\n")
        files = re.findall(r"^/\S+/([\w-]+)\.js\n((?:  .+\n)+)", lint(copy), re.MULTILINE)
        reported = {name.removeprefix("planted-"): problems for name, problems in files}
        assert {name: rule for name, (_text, rule) in FAULTS.items() if rule not in reported.get(name, "")} == {}
        assert reported.keys() == FAULTS.keys()

    def test_a_cycle_of_imports_is_reported(self, copy: Path) -> None:
        """What a module imports must not import the module."""
        art = copy / "emulator" / "web" / "shop" / "parts" / "art.js"
        art.write_text(f'{art.read_text()}import {{ cards }} from "./card.js";\ncards([]);\n')
        assert "import-x/no-cycle" in lint(copy)


class TestUnused:
    def test_a_file_and_an_export_that_nothing_uses_are_reported(self, copy: Path) -> None:
        """From the scripts that the pages load, nothing leads there."""
        shop = copy / "emulator" / "web" / "shop"
        (shop / "lonely.js").write_text("// Nobody imports it.\n")
        with (shop / "data" / "order.js").open("a") as file:
            file.write("export const nobodyAsks = 1;\n")
        assert re.findall(r"shop/lonely\.js|nobodyAsks +shop/data/order\.js", lint(copy)) == [
            "shop/lonely.js",
            "nobodyAsks  shop/data/order.js",
        ]


class TestTypes:
    def test_types_that_refuse_right_use_or_allow_wrong_use_are_reported(self, copy: Path) -> None:
        """As publisher_use.ts holds them: one declaration too strict, one too loose."""
        types = copy / "publisher" / "src" / "events.js"
        loose = types.read_text().replace("@param {string} category", "@param {any} category")
        types.write_text(loose.replace("@property {Item[]} [items]", "@property {string[]} [items]"))
        lines = (LINT / "publisher_use.ts").read_text().splitlines()
        said = lint(copy)
        found = [lines[int(line) - 1] for line in re.findall(r"publisher_use\.ts\((\d+),\d+\): error", said)]
        assert any("the category, not a product" in line for line in found)
        assert any("trackAddToCart" in line for line in found)


class TestDependencies:
    def test_they_are_locked_with_hashes_and_without_addresses(self) -> None:
        """Each registry serves the same files; which one is used is the machine's own setting."""
        lock = (LINT / "package-lock.json").read_text()
        assert lock.count('"integrity": "sha512-') >= 50
        assert '"resolved"' not in lock
