from pathlib import Path

from click.testing import CliRunner
from playwright.sync_api import Browser

from analysis.commands.main import main
from tests.support.raw_objects import Objects

HOSTILE = "<img src=https://elsewhere.example/x.png onerror=alert(1)>"


class TestReport:
    def test_it_is_read_without_a_network(self, browser: Browser, tmp_path: Path) -> None:
        """It asks for nothing, runs nothing, and fits the window of a desk and of a phone."""
        objects, source = Objects(), tmp_path / ("a_path_without_a_place_to_break_it" * 3)
        for name in ("product_view", "add_to_cart_click", HOSTILE):
            objects.add(eventName=name, product={"id": "p", "name": HOSTILE, "brandName": HOSTILE, "price": 1})
        for key, body in objects.bodies.items():
            (source / key).parent.mkdir(parents=True, exist_ok=True)
            (source / key).write_bytes(body)
        span = ["--start", "2026-11-25T09", "--end", "2026-11-25T10"]
        out = tmp_path / "report.html"
        CliRunner().invoke(main, ["report", "--source", str(source), "--out", str(out), *span], catch_exceptions=False)
        context = browser.new_context()
        page = context.new_page()
        seen: list[str] = []
        page.on("request", lambda request: seen.append(request.url))
        page.on("console", lambda message: seen.append(message.text))
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.goto(out.as_uri())
        for width in (1200, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("section svg").count() >= 15
        assert page.get_by_role("cell", name=HOSTILE).count() >= 1
        context.close()
        assert seen == [out.as_uri()]
