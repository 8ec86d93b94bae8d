from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from analysis.commands.main import main as analysis
from command_line.text import Text
from emulator.commands.main import main as emulator
from tests.support.command_lines import ALL, commands

BYTE = "\udcff"  # how Python gives the byte FF of a command line

# Each option and argument that takes a value, but no name of a file: command line, words, parameter.
PARAMETERS = [
    (main, path, parameter)
    for main in ALL
    for path, command in commands(main)
    for parameter in command.params
    if not getattr(parameter, "is_flag", False)
    and (parameter.name == "home" or not isinstance(parameter.type, click.Path))
]
IDS = [f"{main.callback.__module__} {' '.join((*path, parameter.opts[0]))}" for main, path, parameter in PARAMETERS]

pytestmark = pytest.mark.usefixtures("no_environment")


class TestText:
    def test_text_in_utf_8_is_given(self) -> None:
        """As it was written."""
        assert Text().convert("s3://tiếng", None, None) == "s3://tiếng"

    def test_other_bytes_are_refused(self) -> None:
        """And so is half of a surrogate pair."""
        for text in (BYTE, "\ud83d"):
            with pytest.raises(click.BadParameter, match="it is not UTF-8"):
                Text().convert(text, None, None)


class TestParameters:
    def test_there_are_some(self) -> None:
        """Options and arguments of all kinds."""
        names = {parameter.name for _, _, parameter in PARAMETERS}
        assert names >= {"source", "dw", "lake", "function", "queue", "url", "headers", "key", "keys", "home"}

    @pytest.mark.parametrize(("main", "path", "parameter"), PARAMETERS, ids=IDS)
    def test_bytes_that_are_not_utf_8_are_named_in_one_line(
        self, main: click.Command, path: tuple[str, ...], parameter: click.Parameter
    ) -> None:
        """With exit code 2, before anything is done."""
        value = f"s3://{BYTE}" if parameter.name == "source" else BYTE
        words = [parameter.opts[0], value] if isinstance(parameter, click.Option) else [value]
        done = CliRunner().invoke(main, [*path, *words])
        assert done.exit_code == 2
        said = done.stderr.splitlines()[-1]
        assert said.startswith("Error: Invalid value for ") or (said.startswith("Error: ") and r"\udcff" in said)
        assert done.stdout == ""


class TestEnvironment:
    @pytest.mark.parametrize(
        ("words", "variable", "said"),
        [
            (("validate", "--source", "."), "DW_URL", "DW_URL is not a PostgreSQL URL"),
            (("backfill", "--source", "."), "DW_URL", "DW_URL is not a PostgreSQL URL"),
            (("retain", "--days", "3"), "DW_URL", "DW_URL is not a PostgreSQL URL"),
            (("upgrade",), "DW_URL", "DW_URL is not a PostgreSQL URL"),
            (("report",), "RAW_BUCKET_NAME", "does not name a bucket"),
            (("compact", "--source", "."), "LAKE", "whose name is not UTF-8"),
            (("smoke", "--url", "http://127.0.0.1:1", "--source", "."), "SMOKE_HEADER", "a header is written as"),
        ],
    )
    def test_bytes_that_are_not_utf_8_are_named_in_one_line(
        self, words: tuple[str, ...], variable: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """As in an option."""
        (tmp_path / "events/2026/11/24/09").mkdir(parents=True)
        (tmp_path / "events/2026/11/24/09/event-a.json").write_text("{}")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv(variable, BYTE)
        done = CliRunner().invoke(analysis, words)
        assert done.exit_code == 2
        assert said in done.stderr.splitlines()[-1]
        assert done.stdout == ""


class TestPaths:
    """The name of a file or a directory may have any bytes; what is printed of it is escaped."""

    @pytest.mark.slow
    def test_seed_and_report(self, tmp_path: Path) -> None:
        """A history is written into such a directory, and the report reads that, and is written to such a file."""
        folder, page = tmp_path / f"folder {BYTE}", tmp_path / f"report {BYTE}.html"
        bucket, answers = folder / "bucket", folder / f"answers {BYTE}.json"
        small = ("--days", "1", "--shoppers", "2", "--end", "2026-11-20T00")
        seeded = CliRunner().invoke(
            emulator, ["seed", *small, "--out", str(bucket), "--answers", str(answers)], catch_exceptions=False
        )
        assert seeded.exit_code == 0
        assert r"folder \udcff/bucket" in seeded.stdout
        assert answers.is_file()
        span = ("--start", "2026-11-19", "--end", "2026-11-20")
        reported = CliRunner().invoke(
            analysis, ["report", *span, "--source", str(bucket), "--out", str(page)], catch_exceptions=False
        )
        assert reported.exit_code == 0
        assert r"report \udcff.html" in reported.stdout
        assert page.is_file()
