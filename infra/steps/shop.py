"""Builds the demo shop of a stage: the local stack's shop, which sends its events to the stage's endpoint."""

import json
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import click

__all__ = ["build", "main"]

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "emulator" / "web" / "shop"
PUBLISHER = ROOT / "publisher" / "src"
# What index.html says of the local stack, and what it says of a stage.
PIPELINE = (
    '    <aside class="pipeline" id="pipeline" aria-label="Pipeline" global-clickstream-ignore-click="true"></aside>\n'
)
WHERE = "your own local clickstream stack"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--endpoint", required=True, metavar="URL", help="Where the shop posts its events.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Directory to write."
)
def main(endpoint: str, out: Path) -> None:
    """Write the files of the demo shop into DIR, as its web server has to serve them.

    `make shop` calls this, and puts the files into the shop's bucket:

    \b
      python -m infra.steps.shop --endpoint https://….execute-api.….amazonaws.com/clickstream --out shop
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    place = urlsplit(endpoint)
    if place.scheme != "https" or not place.hostname:
        raise click.UsageError(f"--endpoint {endpoint} is not a URL that begins with https://")
    build(endpoint, out)
    files = [path for path in out.rglob("*") if path.is_file()]
    click.echo(f"{len(files)} files, {sum(path.stat().st_size for path in files):,} bytes")


def build(endpoint: str, out: Path) -> None:
    """Write the shop's files: `index.html`, `web/shop/`, `publisher/src/`, and `api/stack`, which names the endpoint.

    Args:
        endpoint: URL to which the shop posts its events.
        out: Directory to write to, which is empty or does not exist.

    Raises:
        click.ClickException: The local stack's page is not the one that this was written for.
    """
    shutil.copytree(SHOP, out / "web" / "shop", dirs_exist_ok=True, ignore=shutil.ignore_patterns("index.html"))
    shutil.copytree(PUBLISHER, out / "publisher" / "src", dirs_exist_ok=True)
    page = (SHOP / "index.html").read_text()
    for part in (PIPELINE, WHERE):
        if page.count(part) != 1:
            raise click.ClickException(
                f"emulator/web/shop/index.html has not one {part.strip()!r}: change infra/steps/shop.py"
            )
    page = page.replace(PIPELINE, "").replace(WHERE, str(urlsplit(endpoint).hostname))
    (out / "index.html").write_text(page)
    (out / "api").mkdir(exist_ok=True)
    (out / "api" / "stack").write_text(json.dumps({"endpoint": endpoint}) + "\n")


if __name__ == "__main__":
    main(prog_name="python -m infra.steps.shop")
