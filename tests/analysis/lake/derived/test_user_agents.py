import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.lake.derived.user_agents import DEVICES, UserAgent, read_user_agent

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


class TestReadUserAgent:
    @pytest.mark.parametrize(
        ("user_agent", "expected"),
        [
            (
                f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {SAFARI} Version/18.5 Mobile/15E148 Safari",
                ("mobile", "Mobile Safari", "18.5", "iOS"),
            ),
            (
                f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/143.0.0.0 Mobile Safari/537.36",
                ("mobile", "Chrome Mobile", "143.0", "Android"),
            ),
            (
                f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/143.0.0.0 Safari/537.36",
                ("tablet", "Chrome", "143.0", "Android"),
            ),
            (
                f"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) {SAFARI} Version/17.7 Mobile/15E148 Safari/604.1",
                ("tablet", "Mobile Safari", "17.7", "iOS"),
            ),
            (
                f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0",
                ("desktop", "Edge", "143.0", "Windows"),
            ),
            (
                f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} coc_coc_browser/130.0.150 Chrome/124 Safari/537",
                ("desktop", "Coc Coc", "130.0", "Windows"),
            ),
            (
                "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0)",
                ("desktop", "IE", "8.0", "Windows"),
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                ("desktop", "Firefox", "145.0", "Ubuntu"),
            ),
            (
                "Mozilla/5.0 (Android 14; Tablet; rv:145.0) Gecko/145.0 Firefox/145.0",
                ("tablet", "Firefox Mobile", "145.0", "Android"),
            ),
            (
                f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/143.0.0.0 Safari/537.36",
                ("desktop", "Chrome", "143.0", "Chrome OS"),
            ),
            (
                f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/94.0.4606.128 Safari/537.36 WebAppManager",
                ("smart tv", "Chrome", "94.0", "Web0S"),
            ),
        ],
    )
    def test_it_knows_what_people_use(self, user_agent: str, expected: tuple[str, ...]) -> None:
        """Phones, tablets, computers and television sets."""
        assert read_user_agent(user_agent) == UserAgent(*expected)

    @pytest.mark.parametrize("user_agent", [None, "", "clickstream-shoppers", "Mozilla/5.0", "\0", "🙂" * 500])
    def test_it_guesses_nothing(self, user_agent: str | None) -> None:
        """Whatever a user agent does not say is null."""
        assert read_user_agent(user_agent) == UserAgent()

    @given(st.text())
    def test_any_text_is_read(self, user_agent: str) -> None:
        """Without an error."""
        assert read_user_agent(user_agent).device in {None, *DEVICES}
