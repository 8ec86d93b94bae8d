import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from analysis.dashboard.pages import PAGES
from analysis.dashboard.pages.saved import FOLDER, Saved, read_saved, saved_text
from analysis.dashboard.view import View


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


class TestSavedText:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "page=paths&range=last_week&zone=Asia/Ho_Chi_Minh&path=/cart&direction=to",
            "page=acquisition&start=2026-11-13&end=2026-11-20&compare=year&bots=1&device=mobile&device=tablet",
            urlencode({"campaign": 'Ưu đãi "Tết"\\ \x7f\x1f\n', "login": "anonymous"}),
        ],
    )
    def test_it_is_read_back_as_the_same_view(self, tmp_path: Path, query: str) -> None:
        """A file of it opens this view in the language that the screen then has."""
        options = {name: page.options for name, page in PAGES.items()}
        view = View.parse(f"{query}&lang=vi", options)
        (tmp_path / "copied.toml").write_text(saved_text(view), "utf-8")
        [saved], problems = read_saved(tmp_path)
        assert problems == []
        assert saved.name == view.page.capitalize()
        assert not saved.is_segment
        assert "lang" not in saved.view
        assert View.parse(f"{urlencode(saved.view, doseq=True)}&lang=vi", options) == view
