import re
from pathlib import Path

import pytest

from analysis.dashboard.pages.saved import FOLDER, Saved, read_saved


class TestReadSaved:
    def test_the_repository_has_a_view_and_a_segment(self) -> None:
        """None of its files is bad."""
        saved, problems = read_saved(FOLDER)
        assert problems == []
        assert {each.is_segment for each in saved} == {True, False}

    def test_a_file_is_a_name_and_parts_of_an_address(self, tmp_path: Path) -> None:
        """A filter may have several values."""
        (tmp_path / "a.toml").write_text('name = "Small"\n[view]\ndevice = ["mobile", "tablet"]\n')
        assert read_saved(tmp_path) == ([Saved("Small", {"device": ("mobile", "tablet")})], [])
        assert read_saved(tmp_path / "absent") == ([], [])

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('name = "x', "Unterminated string|Illegal character|Expected"),
            ('[view]\ndevice = "mobile"', "it has no name"),
            ('name = "x"', r"it shows nothing: write a table \[view\]"),
            ('name = "x"\ncolour = 1\n[view]\ndevice = "mobile"', "unknown: colour; a file has a name"),
            ('name = "x"\n[view]\ndevice = 1', "device is no text"),
            ('name = "x"\n[view]\ncolour = "red"', "the address has an unknown name, 'colour'"),
            ('name = "x"\n[view]\nrange = "fortnight"', "range is 'fortnight': choose from today"),
        ],
    )
    def test_a_bad_file_is_explained_and_the_others_stay(self, tmp_path: Path, text: str, problem: str) -> None:
        """The message names the file."""
        (tmp_path / "bad.toml").write_text(text)
        (tmp_path / "good.toml").write_text('name = "Phones"\n[view]\ndevice = "mobile"\n')
        saved, [said] = read_saved(tmp_path)
        assert [each.name for each in saved] == ["Phones"]
        assert re.match(rf"{re.escape(tmp_path.name)}/bad\.toml: .*({problem})", said)
