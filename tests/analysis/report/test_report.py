import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from analysis.raw.sample import MARKER, Sample
from analysis.report.answers import REPORTED
from tests.support.raw_objects import START, Objects

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SPAN = ("--start", "2026-11-25T09", "--end", "2026-11-25T10")


pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket's directory with two visitors, one of whom buys, and a product with a hostile name."""
    objects = Objects()
    product = {"id": "p", "name": HOSTILE, "category": HOSTILE, "brandName": HOSTILE, "price": 100}
    for name in ("product_view", "add_to_cart_click"):
        objects.add(eventName=name, product=product)
    objects.add(eventName="checkout_complete", order={"id": "o", "total": 100, "currency": HOSTILE})
    objects.add(eventName="product_view", product=product, clientId="other", sessionId="other", tabId="other", seq=1)
    for key, body in objects.bodies.items():
        (tmp_path / "bucket" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bucket" / key).write_bytes(body)
    return tmp_path / "bucket"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def held(file: Path) -> dict[str, Any]:
    """What the file holds as data."""
    [data] = re.findall(r'<script type="application/json" id="answers">(.*?)</script>', file.read_text())
    answers: dict[str, Any] = json.loads(data)
    return answers


def panels(file: Path, page: str = "overview") -> dict[str, Any]:
    """What each panel of a page shows as it opens."""
    answers = held(file)
    first = next(iter(answers["pages"][page]["answers"].values()))
    return {panel["panel"]: panel["content"] for panel in (answers["kept"][place] for place in first)}


def counts(file: Path) -> dict[str, Any]:
    """The counts of the page Overview by name."""
    table = panels(file)["counts"]["table"]
    return dict(zip((column["name"] for column in table["columns"]), table["rows"][0], strict=True))


@pytest.mark.slow
class TestReport:
    def test_it_has_every_page_and_the_right_figures(self, bucket: Path, tmp_path: Path) -> None:
        """Two visitors, one of whom adds and buys. It opens with the revenue, and ends with the validation."""
        file = tmp_path / "r.html"
        result = run("--source", bucket, "--out", file, *SPAN)
        within = "2026-11-25 09:00 to 2026-11-25 10:00 (UTC)"
        said = f"4 events, 2 visitors, 2 sessions, received from {within}: {file}\n"
        assert (result.exit_code, result.stdout) == (0, said)
        found = counts(file)
        assert [found[name] for name in ("events", "visitors", "sessions", "add_to_cart_clicks")] == [4, 2, 2, 1]
        assert [found[name] for name in ("visitor_conversion", "session_conversion", "checkout_rate")] == [0.5, 0.5, 1]
        answers = held(file)
        assert list(answers["pages"]) == list(REPORTED)
        assert (next(iter(REPORTED)), list(REPORTED)[-1]) == ("overview", "quality")
        assert {"live", "visitors"} & {*REPORTED} == set()
        names = [panel["name"] for panel in answers["pages"]["overview"]["head"]["panels"]]
        assert names[0] == "revenue"
        shown = panels(file)["revenue"]
        assert (shown["value"], shown["isCompared"], shown["previous"]) == ("100", True, "0")

    @pytest.mark.parametrize(
        ("page", "names"),
        [
            (
                "overview",
                ("counts", "over_time", "top_events", "login_states", "visitor_types", "currencies", "top_products"),
            ),
            (
                "products",
                ("products", "scatter", "discounts", "sold", "category_revenue", "categories", "brands", "latest"),
            ),
            ("sessions", ("summary", "durations", "depths", "carts", "next_events")),
            ("quality", ("checks", "days", "hours")),
        ],
    )
    def test_it_has_what_analysts_look_for(
        self, bucket: Path, tmp_path: Path, page: str, names: tuple[str, ...]
    ) -> None:
        """Each with its figures."""
        run("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        found = panels(tmp_path / "r.html", page)
        assert {*names} <= found.keys()
        assert all("table" in found[name] for name in names)

    def test_it_says_by_which_clock_events_count(self, bucket: Path, tmp_path: Path) -> None:
        """And how far the range looks back, and ahead."""
        run("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        assert held(tmp_path / "r.html")["facts"]["lookback"] == 24
        assert held(tmp_path / "r.html")["pages"]["overview"]["head"]["view"]["clock"] == "received"
        result = run("--source", bucket, "--out", tmp_path / "o.html", "--clock", "occurred", *SPAN)
        assert result.stdout.startswith("4 events, 2 visitors")
        assert held(tmp_path / "o.html")["facts"]["lookahead"] == 24
        assert held(tmp_path / "o.html")["pages"]["overview"]["head"]["view"]["clock"] == "occurred"

    def test_zone_clock_bots_and_decimals_together(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What happened on a day in Hanoi, though some of it came on the next; without the bot; prices with cents."""
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        hour, objects = 3600.0, Objects()
        objects.add(received=-16 * hour - 1)  # the last second of the 24th in Hanoi
        objects.add(received=-16 * hour)
        objects.add(received=9 * hour, sent=0, eventName="product_view", product={"id": "p", "price": 12.99})
        ingest = '"_ingest": {"receivedAt": "2026-11-25T09:00:00.000Z", "userAgent": "Googlebot/2.1"}'
        objects.put(f'{{"clientId": "bot", {ingest}}}')
        span = ("--start", "2026-11-25", "--end", "2026-11-26", "--zone", "Asia/Ho_Chi_Minh")
        out = ("--source", objects.write(tmp_path / "bucket"), "--out", tmp_path / "r.html")
        arguments = (*out, *span, "--clock", "occurred", "--no-bots")
        within = "2026-11-25 00:00 to 2026-11-26 00:00 (Asia/Ho_Chi_Minh)"
        assert run(*arguments).stdout.startswith(
            f"2 events, 1 visitors, 1 sessions, occurred from {within}, without bots: "
        )
        view = held(tmp_path / "r.html")["pages"]["overview"]["head"]["view"]
        assert (view["zone"], view["clock"], view["bots"]) == ("Asia/Ho_Chi_Minh", "occurred", False)
        latest = panels(tmp_path / "r.html", "products")["latest"]["table"]
        row = dict(zip((column["name"] for column in latest["columns"]), latest["rows"][0], strict=True))
        assert (row["event_timestamp"], row["price"]) == (1764061200000 + 365 * 86_400_000, "12.99")
        found = json.loads(run(*arguments, "--json").stdout)
        names = ("events", "clock", "zone", "lookback_hours", "bots", "login_state")
        assert [found[name] for name in names] == [2, "occurred", "Asia/Ho_Chi_Minh", 24, False, None]

    def test_text_of_an_event_is_data(self, bucket: Path, tmp_path: Path) -> None:
        """Whatever a client calls its products."""
        run("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        assert HOSTILE not in (tmp_path / "r.html").read_text()
        assert HOSTILE in json.dumps(held(tmp_path / "r.html"))

    def test_it_is_compared_with_what_the_option_says(self, bucket: Path, tmp_path: Path) -> None:
        """The period before, by default; or nothing."""
        run("--source", bucket, "--out", tmp_path / "r.html", "--compare", "none", *SPAN)
        assert panels(tmp_path / "r.html")["visitors"]["isCompared"] is False
        later = ("--start", "2026-11-26T09", "--end", "2026-11-26T10")
        run("--source", bucket, "--out", tmp_path / "r.html", *later)
        shown = panels(tmp_path / "r.html")["visitors"]
        assert (shown["value"], shown["previous"]) == (0, 2)

    def test_one_login_state(self, bucket: Path, tmp_path: Path) -> None:
        """Nobody was logged in: an empty report is a report."""
        result = run("--source", bucket, "--out", tmp_path / "r.html", "--login-state", "logged_in", "--json", *SPAN)
        assert json.loads(result.stdout)["events"] == 0
        assert counts(tmp_path / "r.html")["checkout_rate"] is None

    def test_without_bots(self, bucket: Path, tmp_path: Path) -> None:
        """Their events count by default; the page says if they do not."""
        for path in bucket.rglob("*.json"):
            if b'"other"' in path.read_bytes():
                path.write_bytes(
                    path.read_bytes().replace(b'"_ingest": {', b'"_ingest": {"userAgent": "Googlebot/2.1", ')
                )
        arguments = ("--source", bucket, "--out", tmp_path / "r.html", "--json", *SPAN)
        assert json.loads(run(*arguments).stdout)["visitors"] == 2
        assert counts(tmp_path / "r.html")["visitors"] == 2
        assert json.loads(run(*arguments, "--no-bots").stdout)["visitors"] == 1
        assert counts(tmp_path / "r.html")["visitors"] == 1

    def test_a_sample_is_called_one(self, bucket: Path, tmp_path: Path) -> None:
        """On the page, on the terminal and in JSON; without one, nothing is said."""
        arguments = ("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        assert json.loads(run(*arguments, "--json").stdout)["sample"] is None
        assert held(tmp_path / "r.html")["pages"]["overview"]["head"]["sample"] is None
        (bucket / MARKER).write_bytes(Sample(START, START + timedelta(hours=1), START).as_bytes())
        assert json.loads(run(*arguments, "--json").stdout)["sample"]["start"] == "2026-11-25T09:00:00.000Z"
        said = "includes a sample: made-up events of 2026-11-25 09:00 to 2026-11-25 10:00 UTC"
        assert f"The report {said}" in run(*arguments).stdout
        sample = held(tmp_path / "r.html")["pages"]["overview"]["head"]["sample"]
        assert f"includes {sample}".startswith(said)

    def test_the_zone_is_shown(self, bucket: Path, tmp_path: Path) -> None:
        """On the page, on the terminal and in JSON."""
        span = ("--start", "2026-11-25T14:45", "--end", "2026-11-25T15:45", "--zone", "Asia/Kathmandu")
        arguments = ("--source", bucket, "--out", tmp_path / "r.html", *span)
        within = "2026-11-25 14:45 to 2026-11-25 15:45 (Asia/Kathmandu)"
        assert within in run(*arguments).stdout
        assert held(tmp_path / "r.html")["pages"]["overview"]["head"]["view"]["zone"] == "Asia/Kathmandu"
        found = json.loads(run(*arguments, "--json").stdout)
        assert (found["zone"], found["events"], found["first_event"]) == (
            "Asia/Kathmandu", 4, "2026-11-25T09:00:01.000Z"
        )  # fmt: skip

    def test_an_empty_span(self, bucket: Path, tmp_path: Path) -> None:
        """Hours of which there is nothing."""
        result = run("--source", bucket, "--out", tmp_path / "r.html", "--start", "2025-01-01", "--end", "2025-01-02")
        assert (result.exit_code, counts(tmp_path / "r.html")["events"]) == (0, 0)

    def test_what_is_wrong_is_said_in_one_line(self, bucket: Path, tmp_path: Path) -> None:
        """Before any work, and nothing is written."""
        for arguments, problem in (
            (("--source", tmp_path / "nowhere"), "nowhere"),
            (("--source", bucket, "--out", tmp_path / "no" / "r.html", *SPAN), "there is no directory"),
            (("--source", bucket, "--start", "yesterday"), "'yesterday' is not a time"),
        ):
            result = run(*arguments)
            assert result.exit_code == 2
            assert problem in result.stderr
            assert "Traceback" not in result.stderr
