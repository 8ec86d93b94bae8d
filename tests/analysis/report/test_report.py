import json
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from analysis.raw.sample import MARKER, Sample
from analysis.report import cells
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


def tiles(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


@pytest.mark.slow
class TestReport:
    def test_it_has_every_section_and_the_right_figures(self, bucket: Path, tmp_path: Path) -> None:
        """Two visitors, one of whom adds and buys."""
        result = run("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        within = "2026-11-25 09:00 to 2026-11-25 10:00 (UTC)"
        said = f"4 events, 2 visitors, 2 sessions, received from {within}: {tmp_path / 'r.html'}\n"
        assert (result.exit_code, result.stdout) == (0, said)
        page = (tmp_path / "r.html").read_text()
        assert tiles(page) == {
            "events": "4",
            "visitors": "2",
            "sessions": "2",
            "add to cart clicks": "1",
            "checkout completes": "1",
            "visitor conversion": "50.0 %",
            "session conversion": "50.0 %",
            "checkout rate": "100.0 %",
        }
        sections = ["validation", "overview", "funnel", "sessions", "products", "retention"]
        assert re.findall(r'<section id="(\w+)">', page) == sections
        assert re.findall(r'href="#(\w+)"', page) == sections

    def test_it_says_by_which_clock_events_count(self, bucket: Path, tmp_path: Path) -> None:
        """And how far the range looks back, and ahead."""
        run("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        rule = "each event counts when it was received; lookback 24 h"
        assert rule in (tmp_path / "r.html").read_text()
        result = run("--source", bucket, "--out", tmp_path / "o.html", "--clock", "occurred", *SPAN)
        assert result.stdout.startswith("4 events, 2 visitors")
        rule = "each event counts when it occurred, if it arrived by 24 h after the range; lookback 24 h"
        assert rule in (tmp_path / "o.html").read_text()

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
        page = (tmp_path / "r.html").read_text()
        assert f"{within}, login state all, without bots," in page
        assert "when it occurred, if it arrived by 24 h after the range; lookback 24 h" in page
        assert re.findall(r">(2026-11-25 16:00:00|12\.99)</td>", page)[-2:] == ["2026-11-25 16:00:00", "12.99"]
        found = json.loads(run(*arguments, "--json").stdout)
        names = ("events", "clock", "zone", "lookback_hours", "bots", "login_state")
        assert [found[name] for name in names] == [2, "occurred", "Asia/Ho_Chi_Minh", 24, False, None]

    def test_it_needs_nothing_from_elsewhere(self, bucket: Path, tmp_path: Path) -> None:
        """No script, no picture, no style sheet, no font: all is inside."""
        run("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        page = (tmp_path / "r.html").read_text()
        assert page.count("<svg") >= 15
        assert not re.findall(r"<(?:script|link|img|iframe)\b|@import|url\((?!#)|(?:src|href)=\"(?!#)", page)

    def test_text_of_an_event_is_text(self, bucket: Path, tmp_path: Path) -> None:
        """In tables and in charts, whatever a client calls its products."""
        run("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        page = (tmp_path / "r.html").read_text()
        assert "<script" not in page
        assert "<img" not in page
        assert HOSTILE in unescape(page)

    def test_one_login_state(self, bucket: Path, tmp_path: Path) -> None:
        """Nobody was logged in: an empty report is a report."""
        result = run("--source", bucket, "--out", tmp_path / "r.html", "--login-state", "logged_in", "--json", *SPAN)
        assert json.loads(result.stdout)["events"] == 0
        assert tiles((tmp_path / "r.html").read_text())["checkout rate"] == "-"

    def test_without_bots(self, bucket: Path, tmp_path: Path) -> None:
        """Their events count by default; the page says if they do not."""
        for path in bucket.rglob("*.json"):
            if b'"other"' in path.read_bytes():
                path.write_bytes(
                    path.read_bytes().replace(b'"_ingest": {', b'"_ingest": {"userAgent": "Googlebot/2.1", ')
                )
        arguments = ("--source", bucket, "--out", tmp_path / "r.html", "--json", *SPAN)
        assert json.loads(run(*arguments).stdout)["visitors"] == 2
        assert "without bots" not in (tmp_path / "r.html").read_text()
        assert json.loads(run(*arguments, "--no-bots").stdout)["visitors"] == 1
        assert "without bots" in (tmp_path / "r.html").read_text()

    def test_a_sample_is_called_one(self, bucket: Path, tmp_path: Path) -> None:
        """On the page, on the terminal and in JSON; without one, nothing is said."""
        arguments = ("--source", bucket, "--out", tmp_path / "r.html", *SPAN)
        assert json.loads(run(*arguments, "--json").stdout)["sample"] is None
        assert "made-up" not in (tmp_path / "r.html").read_text()
        (bucket / MARKER).write_bytes(Sample(START, START + timedelta(hours=1), START).as_bytes())
        assert json.loads(run(*arguments, "--json").stdout)["sample"]["start"] == "2026-11-25T09:00:00.000Z"
        said = "includes a sample: made-up events of 2026-11-25 09:00 to 2026-11-25 10:00 UTC"
        assert f"The report {said}" in run(*arguments).stdout
        assert f"This report {said}" in (tmp_path / "r.html").read_text()

    def test_the_zone_is_shown(self, bucket: Path, tmp_path: Path) -> None:
        """In the subtitle, at axes of time, in tables, on the terminal and in JSON."""
        span = ("--start", "2026-11-25T14:45", "--end", "2026-11-25T15:45", "--zone", "Asia/Kathmandu")
        arguments = ("--source", bucket, "--out", tmp_path / "r.html", *span)
        within = "2026-11-25 14:45 to 2026-11-25 15:45 (Asia/Kathmandu)"
        assert within in run(*arguments).stdout
        page = (tmp_path / "r.html").read_text()
        assert f"{within}, login state all" in page
        for axis in ("day", "day of receipt"):
            assert f">{axis} (Asia/Kathmandu)<" in page
        assert ">week of the first event in the range, Asia/Kathmandu (visitors)<" in page
        assert ">2026-11-25 14:45:01<" in page
        assert "(UTC)" not in page
        found = json.loads(run(*arguments, "--json").stdout)
        assert (found["zone"], found["events"], found["first_event"]) == (
            "Asia/Kathmandu", 4, "2026-11-25T09:00:01.000Z"
        )  # fmt: skip

    def test_an_empty_span(self, bucket: Path, tmp_path: Path) -> None:
        """Hours of which there is nothing."""
        result = run("--source", bucket, "--out", tmp_path / "r.html", "--start", "2025-01-01", "--end", "2025-01-02")
        assert (result.exit_code, tiles((tmp_path / "r.html").read_text())["events"]) == (0, "0")

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


class TestCells:
    def test_values_are_written_for_people(self) -> None:
        """By the name of their column where a number alone does not say what it is."""
        frame = pl.DataFrame(
            {
                "events": [1_234_567],
                "share": [0.0416],
                "median_duration": [125.4],
                "duration": [9.6],
                "average_order_value": [1234.5],
                "revenue": [Decimal("1200.500000000000000000")],
                "first_event": [START + timedelta(seconds=1)],
                "cohort": [date(2026, 11, 2)],
                "is_discounted": [True],
                "brand": [None],
            }
        )
        assert cells.rows(frame) == [
            [
                "1,234,567", "4.2 %", "2 min 05 s", "10 s", "1,234.50", "1,200.5", "2026-11-25 09:00:01", "2026-11-02",
                "yes", "-",
            ]
        ]  # fmt: skip
        assert cells.headings(frame)[2] == "median duration"

    def test_prices_keep_the_decimals_that_were_chosen(self) -> None:
        """Sums of money have as many as they need."""
        frame = pl.DataFrame({"price": [Decimal("12.50")], "discount_price": [1990000], "revenue": [Decimal("12.50")]})
        assert cells.rows(frame) == [["12.50", "1,990,000", "12.5"]]
