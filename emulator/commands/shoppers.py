"""`python -m emulator shoppers`: let simulated shoppers visit the demo shop."""

import json

import click

from command_line.home import Home
from command_line.interrupt import stopped_by_ctrl_c
from command_line.numbers import FiniteRange
from emulator.commands.options import home_option
from emulator.shoppers.crowd import FASTEST, MOST_SESSIONS, SLOWEST

__all__ = ["shoppers_command"]

HELP = """
Let simulated shoppers visit the demo shop.

Each shopper looks at categories and products, fills a cart, perhaps signs in, and buys or leaves. They send the same
events as the publisher in a browser. As in a browser, events wait until the collector accepts them: stop the storage
or the collector meanwhile, and no event is lost.

\b
Examples:
  python -m emulator shoppers
  python -m emulator shoppers --sessions 500 --rate 50
  python -m emulator shoppers --seed 7 --json

The same --seed gives the same visits. The ids of events, clients and sessions are new each time, so every run adds
rows.

Exit codes: 0 every event was accepted, 1 an event was refused or lost, 2 wrong usage or environment, 130 interrupted
with Ctrl-C.
"""
SHOP_URL = "http://127.0.0.1:8080"  # the default address of the shop, for events that --url sends to another stack
URL = (
    f"Post to this URL, e.g. a deployed stage; page addresses in the events then begin with {SHOP_URL}.  "
    "[default: the running stack]"
)


@click.command("shoppers", help=HELP)
@click.option(
    "--sessions", type=click.IntRange(1, MOST_SESSIONS), default=20, show_default=True, help="Number of visits."
)
@click.option(
    "--rate",
    type=FiniteRange(SLOWEST, FASTEST),
    default=10.0,
    show_default=True,
    help="Events per second, over all shoppers together.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), help="Repeat the visits of the run with this seed.  [default: random]"
)
@home_option
@click.option("--url", help=URL)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as one JSON object, and nothing else on stdout."
)
def shoppers_command(
    sessions: int, rate: float, seed: int | None, home: Home, url: str | None, *, as_json: bool
) -> None:
    """Run the shoppers, print the report, and exit with its exit code."""
    # Imported here, since httpx2 and rich take longer to import than `--help` and `env` take to run.
    from concurrent.futures import ThreadPoolExecutor

    from rich.console import Console

    from emulator.shoppers import output
    from emulator.shoppers.catalogue import read_catalogue
    from emulator.shoppers.run import Shoppers

    endpoint, shop_url = (url, SHOP_URL) if url is not None else _of_stack(home)
    shoppers = Shoppers(endpoint, shop_url, read_catalogue(), sessions, rate, seed)
    shoppers.check()
    with stopped_by_ctrl_c() as stop, ThreadPoolExecutor(1) as thread:
        run = thread.submit(shoppers.run, stop)
        output.watch(shoppers, run, Console(stderr=True))
        report = run.result()
    if as_json:
        click.echo(json.dumps(output.as_json(report), indent=2))
    else:
        output.show(report, Console())
    raise SystemExit(report.exit_code)


def _of_stack(home: Home) -> tuple[str, str]:
    stack = home.read_stack()
    return stack.endpoint, stack.web_url
