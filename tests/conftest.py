"""What every test may use: payloads, a real PostgreSQL, a pretend S3."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from moto import mock_aws
from playwright.sync_api import Browser, Playwright, sync_playwright
from psycopg import conninfo, sql

from analysis import Engine
from command_line.home import BUCKET, Home
from emulator.servers.postgres.server import Postgres
from tests.support.aws.deployment import Built, built
from tests.support.chromium import FLAGS, program
from tests.support.event_rows import Event, raw_of, warehouse_of

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / "tests" / "events"

# The developer's own zone would change what commands show.
os.environ.pop("CLICKSTREAM_ZONE", None)

# `app` lives where Chalice wants it, not in a package.
sys.path.insert(0, str(ROOT / "chalice_app"))


# In the order in which they run, after the tests without a marker, so that a plain mistake shows at once. The browser
# is last: Playwright keeps an event loop running in the main thread.
MARKERS = ("slow", "stack", "deploy", "spark", "browser")
# What a fixture starts, every test that uses it needs; other tests say it themselves, by `pytestmark` or a decorator.
NEEDED_BY_FIXTURES = {"deployment": "deploy", "playwright": "browser"}
# 1,000 events of a real shop, which may not be in the repository.
REAL_FILE = ROOT.parent / "shared" / "data" / "rees46-2019-oct.csv"


# Only who names it gets it: it needs programs that nothing else needs.
ON_REQUEST = "other_browsers"


def is_requested(config: pytest.Config) -> bool:
    """Whether `-m` asks for what runs on request."""
    return ON_REQUEST in config.option.markexpr


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is left out, on this computer or altogether."""
    header = [] if REAL_FILE.exists() else [f"tests of the real_file are left out, for there is no {REAL_FILE}"]
    if not is_requested(config):
        header.append(f"tests of {ON_REQUEST} are left out: 'make browsers' runs them")
    return header


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by marker
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by their fixtures, leave out what cannot run here, and run the fast tests first."""
    for item in items:
        for fixture in NEEDED_BY_FIXTURES.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(NEEDED_BY_FIXTURES[fixture])
    unwanted = [] if REAL_FILE.exists() else ["real_file"]
    if not is_requested(config):
        unwanted.append(ON_REQUEST)
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unwanted)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    # A file at a time, since its tests share what they start: it comes as late as the latest of them.
    places: dict[Path, int] = {}
    for item in items:
        place = max((MARKERS.index(mark.name) + 1 for mark in item.iter_markers() if mark.name in MARKERS), default=0)
        places[item.path] = max(place, places.get(item.path, 0))
    items.sort(key=lambda item: places[item.path])


@pytest.fixture(scope="session")
def real_file() -> Path:
    """Give the file of a real shop."""
    return REAL_FILE


@pytest.fixture(scope="session")
def payload() -> Callable[[str], bytes]:
    """Give the bytes of a file of tests/events/, by its name without ending."""
    return lambda name: (EVENTS / f"{name}.json").read_bytes()


@pytest.fixture(scope="session")
def api_event(payload: Callable[[str], bytes]) -> Callable[..., dict[str, Any]]:
    """Give a REST API event with another body, content type or other headers."""

    def make(body: str | None, content_type: str | None = "application/json", **headers: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(payload("api_gateway_rest"))
        event["body"] = body
        event["headers"].pop("Content-Type")
        event["headers"] |= ({} if content_type is None else {"Content-Type": content_type}) | headers
        return event

    return make


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Give one real PostgreSQL server for all tests."""
    home = Home(tmp_path_factory.mktemp("postgres") / "home")
    home.create()
    server = Postgres(home)
    server.start()
    yield server
    server.stop()
    server.remove()


@contextmanager
def _database(postgres: Postgres) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield conninfo.make_conninfo(postgres.url, dbname=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def new_database(postgres: Postgres) -> Callable[[], AbstractContextManager[str]]:
    """Give a function that makes a fresh, empty database, of which it gives the URL."""
    return partial(_database, postgres)


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Give the real deployment package, and the project that it was built of."""
    return built(tmp_path_factory.mktemp("deployment"))


@pytest.fixture
def warehouse_url(postgres: Postgres) -> Iterator[str]:
    """Give the URL of a fresh, empty database on the real server."""
    with _database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def metrics_url(postgres: Postgres) -> Iterator[str]:
    """Give the URL of one database for all tests of metrics, each of which fills it anew."""
    with _database(postgres) as url:
        yield url


@pytest.fixture(params=["raw", "warehouse"])
def engine_of(request: pytest.FixtureRequest) -> Callable[[Sequence[Event]], Engine]:
    """Give each engine in turn, as a function of the events that it holds."""
    if request.param == "raw":
        return raw_of
    url = request.getfixturevalue("metrics_url")
    return lambda events: warehouse_of(url, events)


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no stack or environment of the machine be found."""
    for name in ("RAW_BUCKET_NAME", "DW_URL", "CLICKSTREAM_ZONE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLICKSTREAM_HOME", str(tmp_path / "no-stack"))


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Give a function that sets the `AWS_*` variables, after removing all that this computer's owner configured."""

    def set_variables(**variables: str) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "HOME": str(tmp_path)}
        for name, value in (nowhere | variables).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps the credentials that it found first

    return set_variables


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give an S3 client of a pretend AWS, in which the raw bucket exists."""
    import boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Give what drives browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Give one headless Chromium for all tests; each test opens a context of its own in it."""
    browser = playwright.chromium.launch(executable_path=program(), args=FLAGS)
    yield browser
    browser.close()
