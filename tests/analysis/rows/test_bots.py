import polars as pl
import pytest

from analysis.rows.bots import is_bot, without_bots

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


class TestIsBot:
    @pytest.mark.parametrize(
        "user_agent",
        [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            CHROME.replace("Chrome", "HeadlessChrome"),
            "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
            "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
            "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
        ],
    )
    def test_crawlers_headless_browsers_and_monitors(self, user_agent: str) -> None:
        """They are programs."""
        assert is_bot(pl.Series([user_agent])).to_list() == [True]

    @pytest.mark.parametrize(
        "user_agent",
        [
            CHROME,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Zalo iOS",
            "Mozilla/5.0 (Linux; Android 14; CUBOT P80) AppleWebKit/537.36 Chrome/156.0.0.0 Mobile Safari/537.36",
            "python-httpx/0.28.1",
            "okhttp/4.12.0",
            "curl/8.14.1",
            "",
            None,
        ],
    )
    def test_browsers_and_libraries(self, user_agent: str | None) -> None:
        """A shop's own server or app may send events of people with a library."""
        assert is_bot(pl.Series([user_agent], dtype=pl.String)).to_list() == [False]


class TestWithoutBots:
    def test_their_events_are_left_out(self) -> None:
        """The others stay, in their order."""
        frame = pl.DataFrame({"user_agent": [CHROME, "Googlebot/2.1", None], "number": [1, 2, 3]})
        assert without_bots(frame)["number"].to_list() == [1, 3]
