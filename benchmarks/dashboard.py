"""The dashboard over the lake, in Chromium: first paint, changes of a filter, the page's weight, and memory."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import click
from playwright.sync_api import Browser, Page, sync_playwright

from analysis.dashboard.pages import PAGES
from benchmarks.lake.history import DAYS, END, EVENTS, History, seeded
from benchmarks.targets import Line, Targets

__all__ = ["ROUNDS", "measure", "shown"]

ROUNDS = 1
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
GB, MB = 1e9, 1e6
MOST_MILLISECONDS = 600_000
# A filter of each kind: on events, on sessions, and on both.
FILTERS: tuple[dict[str, str], ...] = (
    {"device": "mobile"},
    {"channel": "Direct"},
    {"login": "logged_in"},
    {"category": "shoes"},
    {"browser": "Chrome"},
    {"device": "desktop", "channel": "Organic Search"},
    {},
)
# Goes to an address as a click on a filter does, and gives the milliseconds until the whole view is on the screen.
CHANGE = """
(query) => new Promise((done) => {
  const began = performance.now();
  delete document.body.dataset.shown;
  history.pushState(null, "", `?${query}`);
  dispatchEvent(new PopStateEvent("popstate"));
  const look = () => document.body.dataset.shown ? done(performance.now() - began) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})
"""
# When something of the page was first on the screen, and the bytes that were sent, in Chromium's words.
OPENED = """
() => ({
  paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  bytes: performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .reduce((sum, each) => sum + each.encodedBodySize, 0),
})
"""


def measure(rounds: Iterable[object], events: int = EVENTS) -> Targets:
    """Seed a history, compact it, and look at every page of the dashboard; the last of `rounds` counts."""
    for _ in rounds:
        with seeded(events) as history:
            history.compact(END)
            lines = tuple(shown(history))
    title = f"dashboard: {events:,} events of {DAYS} days in the lake; the targets are for a million"
    return Targets("dashboard", title, lines)


def shown(history: History) -> Iterator[Line]:
    """Open each page over the whole history beside the days before, and change its filters.

    Raises:
        click.UsageError: Chromium is not installed.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        raise click.UsageError("this benchmark needs chromium: 'make system' installs it")
    with _served(history) as (address, process), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        first, opened = _open(browser, address, _query(history, "overview"))
        yield Line("first paint", opened["paint"] / 1000, "s", most=1, beside="of the page, in a new browser")
        whole = f"events of {DAYS} days are read into memory, from the lake"
        yield Line("the whole first view", first / 1000, "s", beside=whole)
        yield Line("weight of the page", opened["bytes"] / MB, "MB", most=1, beside="as sent, with Vega")
        page = browser.contexts[0].pages[0]
        yield from _changes(page, history)
        memory = int(re.findall(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())[0]) * 1024
        yield Line("memory of the server", memory / GB, "GB", most=1, beside="at its peak, after all of the above")
        browser.close()


def _changes(page: Page, history: History) -> Iterator[Line]:
    """Change the filters of every page; the first view of each page is not counted."""
    all_of_them: list[float] = []
    for name in PAGES:
        page.evaluate(CHANGE, _query(history, name))
        taken = [page.evaluate(CHANGE, _query(history, name, **chosen)) / 1000 for chosen in FILTERS]
        all_of_them += taken
        beside = f"the slowest {max(taken):.2f} s"
        yield Line(f"{name}: a change of filters, median", median(taken), "s", beside=beside)
    p95 = quantiles(all_of_them, n=20, method="inclusive")[-1]
    yield Line("any page: a change of filters, p95", p95, "s", most=0.5, beside=f"{len(all_of_them)} changes")


def _query(history: History, page: str, **chosen: str) -> str:
    within = history.whole
    named = {"start": f"{within.start:%Y-%m-%dT%H:%MZ}", "end": f"{within.end:%Y-%m-%dT%H:%MZ}", "compare": "none"}
    return urlencode({"page": page, **named, **chosen})


def _open(browser: Browser, address: str, query: str) -> tuple[float, dict[str, Any]]:
    """Open an address in a new window; give the milliseconds until all of it is drawn, and what Chromium measured."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(MOST_MILLISECONDS)
    page.goto(f"{address}?{query}")
    page.wait_for_selector("body[data-shown]")
    return page.evaluate("() => performance.now()"), page.evaluate(OPENED)


@contextmanager
def _served(history: History) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run `python -m analysis dashboard` over the history; give its address and process."""
    command = [sys.executable, "-m", "analysis", "dashboard", "--source", str(history.bucket)]
    command += ["--lake", str(history.directory / "lake"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101  # a pipe was asked for
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise RuntimeError("the dashboard did not start")
            yield found[0], process
        finally:
            process.terminate()
