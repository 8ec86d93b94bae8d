"""The command line of the shoppers."""

import json

import click

from command_line.home import Home
from command_line.interrupt import stopped_by_ctrl_c
from emulator.commands.options import home_option
from emulator.shoppers.crowd import FASTEST, MOST_SESSIONS, SLOWEST

__all__ = ["shoppers_command"]

HELP = """
Let simulated shoppers visit the demo shop.

Each of them looks at categories and products, fills a cart, perhaps signs in, and buys or leaves. Their events are
those that the publisher sends from a browser, and like there they wait until the collector accepts them: stop the
storage or the collector meanwhile, and none is lost.

\b
Examples:
  python -m emulator shoppers
  python -m emulator shoppers --sessions 500 --rate 50
  python -m emulator shoppers --seed 7 --json

The same --seed gives the same visits; the ids of events, clients and sessions are new each time, so that every run adds
rows. Exit code: 0 all accepted, 1 something was refused or lost, 2 wrong usage or environment, 130 interrupted with
Ctrl-C.
"""
SHOP_URL = "http://127.0.0.1:8080"  # in the events that go elsewhere: where `up` serves the shop by default
URL = f"Post there instead, e.g. to a deployed stage; the shop is at {SHOP_URL} then.  [default: the running stack]"


@click.command("shoppers", help=HELP)
@click.option(
    "--sessions", type=click.IntRange(1, MOST_SESSIONS), default=20, show_default=True, help="How many visits."
)
@click.option(
    "--rate",
    type=click.FloatRange(SLOWEST, FASTEST),
    default=10.0,
    show_default=True,
    help="Events per second, of all shoppers together.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Repeat the visits of a run.  [default: other ones each time]")
@home_option
@click.option("--url", help=URL)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as one JSON object, and nothing else on stdout."
)
def shoppers_command(
    sessions: int, rate: float, seed: int | None, home: Home, url: str | None, *, as_json: bool
) -> None:
    """Run the shoppers, print the report, and end with its exit code."""
    # Imported here, since httpx2 and rich take longer to import than `--help` and `env` take to run.
    from concurrent.futures import ThreadPoolExecutor

    from rich.console import Console

    from emulator.shoppers import output
    from emulator.shoppers.bar import watch
    from emulator.shoppers.catalogue import read_catalogue
    from emulator.shoppers.run import Shoppers

    endpoint, shop_url = (url, SHOP_URL) if url is not None else _of_stack(home)
    shoppers = Shoppers(endpoint, shop_url, read_catalogue(), sessions, rate, seed)
    shoppers.check()
    with stopped_by_ctrl_c() as stop, ThreadPoolExecutor(1) as thread:
        run = thread.submit(shoppers.run, stop)
        watch(shoppers, run, Console(stderr=True))
        report = run.result()
    if as_json:
        click.echo(json.dumps(output.as_json(report), indent=2))
    else:
        output.show(report, Console())
    raise SystemExit(report.exit_code)


def _of_stack(home: Home) -> tuple[str, str]:
    stack = home.read_stack()
    return stack.endpoint, stack.web_url
