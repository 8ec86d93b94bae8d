from command_line.errors import CommandError
from command_line.printable import printable, printable_lines, short_line, without_credentials
from tests.support.terminal_escapes import STEERING


class TestPrintable:
    def test_what_steers_a_terminal_is_an_escape(self) -> None:
        """Line breaks too, by which one line could pass for two, and what turns the direction of writing."""
        assert printable(STEERING) == "\\x1b[2J\\x1b]0;owned\\x07\\x9b2J"
        assert printable("a\nb\r\tc\u202e\ud800") == "a\\nb\\r\\tc\\u202e\\ud800"

    def test_words_of_all_languages_stay(self) -> None:
        """And whatever else is to be seen."""
        assert printable("tiếng Việt, 日本語, [bold]€ 😀") == "tiếng Việt, 日本語, [bold]€ 😀"


class TestPrintableLines:
    def test_line_breaks_stay(self) -> None:
        """Where a text may have several."""
        assert printable_lines("a\x1b\r\nb\n") == "a\\x1b\\r\nb\n"


class TestShortLine:
    def test_a_long_text_is_cut(self) -> None:
        """What a server answers may be a page; its first words say enough."""
        assert short_line(f" a\n\t b\x1b{'c' * 300}") == f"a b\\x1b{'c' * 196}"


class TestWithoutCredentials:
    def test_a_password_is_not_shown(self) -> None:
        """Nor whose it is."""
        assert without_credentials("https://me:secret@host:1/a?b=c@d") == "https://host:1/a?b=c@d"


class TestErrors:
    def test_what_they_quote_is_printable(self) -> None:
        """They may hold the last lines of a server's log."""
        assert CommandError(f"a\n{STEERING}").format_message() == f"a\n{printable(STEERING)}"
