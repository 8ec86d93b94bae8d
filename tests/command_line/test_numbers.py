import click
import pytest
from click.testing import CliRunner

from command_line.numbers import FiniteRange
from tests.support.command_lines import ALL, commands

# Each option that takes a number: command line, words, option.
OPTIONS = [
    (main, path, option)
    for main in ALL
    for path, command in commands(main)
    for option in command.params
    if isinstance(option, click.Option)
    and isinstance(option.type, click.types.FloatParamType | click.types.IntParamType)
]
IDS = [f"{main.callback.__module__} {' '.join((*path, option.opts[0]))}" for main, path, option in OPTIONS]


class TestFiniteRange:
    @pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400"])
    def test_only_numbers_are_within_bounds(self, text: str) -> None:
        """Not even without an upper bound is infinity."""
        with pytest.raises(click.BadParameter, match=r"is not a finite number|is not in the range"):
            FiniteRange(0).convert(text, None, None)

    def test_others_are_given(self) -> None:
        """With the bounds."""
        assert [FiniteRange(0, 2).convert(text, None, None) for text in ("0", "1.5", "2")] == [0, 1.5, 2]


class TestOptions:
    def test_there_are_some(self) -> None:
        """Among them each that takes seconds, hours or a rate."""
        names = {option.opts[0] for _, _, option in OPTIONS}
        assert names >= {"--settle", "--lookback", "--timeout", "--rate", "--s3-cache", "--events"}

    @pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "1e400", ""])
    @pytest.mark.parametrize(("main", "path", "option"), OPTIONS, ids=IDS)
    def test_what_is_no_number_of_its_kind_is_named_in_one_line(
        self, main: click.Command, path: tuple[str, ...], option: click.Option, text: str
    ) -> None:
        """With exit code 2, before anything is done."""
        done = CliRunner().invoke(main, [*path, option.opts[0], text])
        assert done.exit_code == 2
        assert done.stderr.splitlines()[-1].startswith(f"Error: Invalid value for '{option.opts[0]}'")
        assert done.stdout == ""
