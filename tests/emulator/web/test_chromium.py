import pytest

from tests.support.chromium import program


class TestProgram:
    def test_it_says_how_to_install_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A failure in one line, not a skipped test."""
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(pytest.fail.Exception, match=r"^.*apt-get install -y chromium.*$"):
            program()
