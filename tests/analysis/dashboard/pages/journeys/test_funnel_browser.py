"""The page Funnel in a real browser: its figures, its chart's bars, the editor of its steps, and who left."""

import os
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from emulator.seed.answers import funnel, overview
from tests.analysis.dashboard.conftest import Chosen, Seeded
from tests.analysis.dashboard.pages.journeys.test_funnel import by_group, worst
from tests.analysis.dashboard.test_browser import (
    IMAGES,
    MARKS,
    WEEK,
    address,
    cells,
    drawn,
    number,
    open_at,
    page,
    rounded,
)

__all__ = ["address", "page"]

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PHONES = {"device": ["mobile"]}


def check_steps(page: Page, seeded: Seeded, language: str, filters: Chosen, steps: Sequence[str] = funnel.STEPS) -> int:
    """Compare what the screen says of the steps with the seed's answers, and give the number of the worst step."""
    answer = seeded.answer(funnel.funnel, filters, steps=steps)
    for name, row in (("began", answer[0]), ("finished", answer[-1])):
        assert number(page.locator(f"#panel-{name} .value").inner_text(), language) == row["visitors"]
    check_share(page.locator("#panel-conversion .value").inner_text(), language, answer[-1]["from_first"])
    assert cells(page, "steps", "event_name") == list(steps)
    assert [number(each, language) for each in cells(page, "steps", "visitors")] == [row["visitors"] for row in answer]
    for column in ("from_first", "from_previous"):
        for text, row in zip(cells(page, "steps", column), answer, strict=True):
            check_share(text, language, row[column])
    step = worst(answer)
    label, row = f"{step}. {steps[step - 1]}", answer[step - 1]
    said = page.locator("#panel-chart .note").inner_text().replace("\u2068", "").replace("\u2069", "")
    assert label in said
    counts = [number(part, language) for part in said.split(label)[1].split("(")[0].split() if part[0].isdigit()]
    assert counts == [row["dropped"], answer[step - 2]["visitors"]]
    return step


def check_share(text: str, language: str, value: float | None) -> None:
    if value is None:
        assert text == "\N{EN DASH}"
    else:
        assert number(text, language) in rounded(Decimal(str(value)) * 100, "0.1")


def check_dropped(page: Page, seeded: Seeded, filters: Chosen, step: int) -> None:
    """Compare the list with the seed's."""
    dropped = seeded.answer(funnel.funnel_dropped, filters, step=step, limit=10)
    assert cells(page, "dropped", "visitor") == [row["visitor"] for row in dropped]


def seconds(text: str) -> int:
    """What a time of minutes and seconds says."""
    units = {"m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([ms])", text))


def steps_of(page: Page) -> list[str]:
    """The steps in the editor."""
    return page.locator("#panel-editor ol.steps bdi").all_inner_texts()


class TestFunnel:
    @pytest.mark.parametrize("language", MARKS)
    def test_where_phone_visitors_leave(self, page: Page, seeded: Seeded, language: str) -> None:
        """From Overview, by clicks only: the page, a filter, a bar, a visitor; each figure is the seed's."""
        open_at(page, f"{WEEK}&lang={language}")
        page.locator("#pages a[href*='page=funnel']").click()
        drawn(page, "page=funnel")
        check_steps(page, seeded, language, {})
        groups = by_group(seeded.answer(funnel.funnel, by="device"), [str(place) for place in range(1, 5)])
        assert cells(page, "groups", "group") == [row["group"] for row in groups]
        page.locator("#panel-groups").get_by_role("button", name="mobile", exact=True).click()
        drawn(page, "device=mobile")
        step = check_steps(page, seeded, language, PHONES)
        check_dropped(page, seeded, PHONES, step)
        other = 2 if step != 2 else 3
        bars = page.locator("#panel-chart .mark-rect.layer_0_marks path")
        expect(bars).to_have_count(4)
        bars.nth(other - 1).click()
        drawn(page, f"step={other}")
        check_dropped(page, seeded, PHONES, other)
        page.locator("#panel-dropped [data-column=visitor] a").first.click()
        drawn(page, "page=visitors.*person=")
        assert "step=" not in page.url

    def test_a_click_on_a_mark_lists_who_left_there(self, page: Page, seeded: Seeded) -> None:
        """On the red part of a bar, too; at the first step nobody can have left."""
        open_at(page, f"page=funnel&{WEEK}")
        chart = page.locator("#panel-chart")
        chart.locator(".mark-rect.layer_0_marks path").first.click()
        assert "step=" not in page.url
        lost = chart.locator(".mark-rect.layer_1_marks path")
        lost.nth(3).hover()
        [*_, last] = seeded.answer(funnel.funnel)
        expect(page.locator("#tooltip")).to_contain_text("checkout_complete")
        expect(page.locator("#tooltip")).to_contain_text(f"{last['dropped']:,}")
        lost.nth(3).click()
        drawn(page, "step=4")
        check_dropped(page, seeded, {}, 4)
        page.locator("#panel-steps [data-column=dropped] button").first.click()
        drawn(page, "step=2")
        check_dropped(page, seeded, {}, 2)
        page.locator("#panel-dropped [data-page=nextPage]").click()
        drawn(page, "step=2.*place=")
        dropped = seeded.answer(funnel.funnel_dropped, step=2, limit=20)
        assert cells(page, "dropped", "visitor") == [row["visitor"] for row in dropped[10:]]

    def test_it_is_compared(self, page: Page) -> None:
        """The figures of the first half of the week stand beside those of the second."""
        open_at(page, "page=funnel&start=2026-11-13&end=2026-11-16&zone=UTC&compare=none")
        before = page.locator("#panel-began .value").inner_text()
        open_at(page, "page=funnel&start=2026-11-16&end=2026-11-19&zone=UTC")
        expect(page.locator("#panel-began small")).to_contain_text(before)
        assert cells(page, "steps", "previous")[0] == before
        expect(page.locator("#panel-chart .mark-rect.layer_4_marks path")).to_have_count(4)

    def test_times_are_neither_good_nor_bad(self, page: Page, seeded: Seeded) -> None:
        """A longer one has no colour of its own; no time is 0 s."""
        open_at(page, "page=funnel&start=2026-11-16&end=2026-11-19&zone=UTC")
        expect(page.locator("#panel-median_time .change")).to_have_attribute("data-direction", "same")
        expect(page.locator("#panel-median_time .change span")).to_have_text(re.compile("[▲▼]"))
        open_at(page, f"page=funnel&{WEEK}")
        times = [row["median_time"] for row in seeded.answer(funnel.funnel_times)]
        shown = cells(page, "times", "median_time")
        assert shown[0] == "0s"
        assert [seconds(text) for text in shown] == [round(time) for time in times]


class TestEditor:
    @pytest.mark.parametrize("language", MARKS)
    def test_it_works_by_mouse(self, page: Page, seeded: Seeded, language: str) -> None:
        """A step is removed, another one is added and moved; the figures follow; the chip restores the usual steps."""
        open_at(page, f"page=funnel&{WEEK}&lang={language}")
        editor = page.locator("#panel-editor")
        assert steps_of(page) == list(funnel.STEPS)
        events = [row["event_name"] for row in seeded.answer(overview.top_events)]
        offered = editor.locator("option").evaluate_all("(options) => options.map(({ value }) => value)")
        assert offered == [name for name in events if name not in funnel.STEPS]
        editor.locator("[data-action=remove][data-step=checkout_start]").click()
        drawn(page, "steps=product_view%2Cadd_to_cart_click%2Ccheckout_complete")
        editor.get_by_role("combobox").select_option("category_view")
        editor.locator("[data-action=add]").click()
        drawn(page, "checkout_complete%2Ccategory_view")
        for place in (2, 1, 0):
            editor.locator("[data-action=earlier][data-step=category_view]").click()
            moved = ["product_view", "add_to_cart_click", "checkout_complete"]
            moved.insert(place, "category_view")
            drawn(page, "steps=" + "%2C".join(moved))
            assert steps_of(page) == moved
        expect(editor.locator("[data-action=earlier][data-step=category_view]")).to_be_disabled()
        check_steps(page, seeded, language, {}, moved)
        page.locator("#chips .chip").click()
        drawn(page, "^((?!steps=).)*$")
        check_steps(page, seeded, language, {})

    def test_it_works_by_keyboard(self, page: Page) -> None:
        """The focus stays at the step that was changed, and Back restores the steps before."""
        open_at(page, f"page=funnel&{WEEK}")
        editor = page.locator("#panel-editor")
        later = editor.locator("[data-action=later][data-step=add_to_cart_click]")
        later.focus()
        page.keyboard.press("Enter")
        drawn(page, "steps=product_view%2Ccheckout_start%2Cadd_to_cart_click%2Ccheckout_complete")
        expect(later).to_be_focused()
        page.keyboard.press("Enter")
        drawn(page, "checkout_complete%2Cadd_to_cart_click")
        expect(editor.locator("[data-action=earlier][data-step=add_to_cart_click]")).to_be_focused()
        page.keyboard.press("Tab")
        expect(editor.locator("[data-action=remove][data-step=add_to_cart_click]")).to_be_focused()
        page.keyboard.press("Space")
        drawn(page, "steps=product_view%2Ccheckout_start%2Ccheckout_complete(&|$)")
        expect(editor.locator("[data-action=add]")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Home")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        drawn(page, "checkout_complete%2C")
        assert len(steps_of(page)) == 4
        expect(editor.locator("[data-action=add]")).to_be_focused()
        page.go_back()
        drawn(page, "steps=product_view%2Ccheckout_start%2Ccheckout_complete(&|$)")
        assert steps_of(page) == ["product_view", "checkout_start", "checkout_complete"]

    def test_two_steps_stay(self, page: Page) -> None:
        """Then none can be removed; the usual steps need no place in the address."""
        open_at(page, f"page=funnel&{WEEK}&step=2&steps=product_view,add_to_cart_click,checkout_start")
        editor = page.locator("#panel-editor")
        editor.locator("[data-action=remove][data-step=product_view]").click()
        drawn(page, "steps=add_to_cart_click%2Ccheckout_start(&|$)")
        assert "step=" not in page.url
        expect(editor.locator("[data-action=remove]:disabled")).to_have_count(2)
        open_at(page, f"page=funnel&{WEEK}&steps=product_view,add_to_cart_click,checkout_start")
        editor.get_by_role("combobox").select_option("checkout_complete")
        editor.locator("[data-action=add]").click()
        drawn(page, "^((?!steps=).)*$")

    def test_wrong_steps_are_explained(self, page: Page) -> None:
        """In words, in the page; the chip leads back."""
        open_at(page, f"page=funnel&{WEEK}&steps=product_view")
        expect(page.locator("#panel-chart .problem")).to_contain_text("write 2 to 10 different event names")
        page.locator("#chips .chip").click()
        drawn(page, "^((?!steps=).)*$")
        assert steps_of(page) == list(funnel.STEPS)


class TestScreens:
    @pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light")])
    def test_it_fits(self, browser: Browser, address: str, tmp_path: Any, width: int, scheme: Any) -> None:
        """In light and dark, and on a phone, where the page does not scroll sideways."""
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=address, color_scheme=scheme)
        page = context.new_page()
        open_at(page, "page=funnel&start=2026-11-16&end=2026-11-20&device=mobile")
        expect(page.locator(".panel.chart svg.marks").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        kept = os.environ.get("SCREENSHOTS") and (width, scheme) == (1280, "light")
        path = (IMAGES if kept else tmp_path) / "dashboard-funnel.png"
        page.screenshot(path=path, animations="disabled")
        assert path.stat().st_size > 10_000
        context.close()
