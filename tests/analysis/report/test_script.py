from pathlib import Path

import pytest

from analysis.report.page import INSTEAD, SERVED
from analysis.report.script import joined


def write(folder: Path, **modules: str) -> Path:
    """Write modules, and give the first."""
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder / f"{next(iter(modules))}.js"


class TestJoined:
    def test_a_module_follows_those_that_it_imports(self, tmp_path: Path) -> None:
        """Each is there once, with the names that it exports."""
        first = write(
            tmp_path,
            a='import { b } from "./b.js";\nimport { c as d } from "./c.js";\nd(b);\n',
            b='import { c } from "./c.js";\nexport const b = c;\n',
            c="export const c = 1;\n",
        )
        script = joined(first, {})
        assert script.index("const c = 1;") < script.index("const b = c;") < script.index("d(b);")
        assert script.count("const c = 1;") == 1
        assert "const { c: d } = module0;" in script
        assert "return { c };" in script

    def test_a_module_may_have_one_value_without_a_name(self, tmp_path: Path) -> None:
        """As texts have it."""
        first = write(tmp_path, a='import b from "./b.js";\nb();\n', b="export default () => 1;\n")
        assert "const own = () => 1;" in joined(first, {})
        assert "const b = module0.own;" in joined(first, {})

    def test_another_module_takes_its_place(self, tmp_path: Path) -> None:
        """What it would have imported is left out."""
        first = write(tmp_path, a='import { b } from "./b.js";\nb();\n', b="asks();\n", c="export const b = 2;\n")
        script = joined(first, {tmp_path / "b.js": tmp_path / "c.js"})
        assert "const b = 2;" in script
        assert "asks();" not in script

    def test_what_cannot_be_joined_is_an_error(self, tmp_path: Path) -> None:
        """So that no report is written which would not run."""
        first = write(tmp_path, a='export { b } from "./b.js";\n')
        with pytest.raises(AssertionError, match="cannot be joined: export"):
            joined(first, {})

    def test_a_report_asks_no_server(self) -> None:
        """None of its modules has a word for it."""
        assert "fetch(" not in joined(SERVED / "dashboard.js", INSTEAD)
