"""A stack that keeps decimals of prices: its programs know, and no other value gets in."""

import json
import os
from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest

from chalicelib.warehouse.client import Warehouse
from command_line.errors import CommandError
from emulator.servers.warehouse import ExternalWarehouse
from tests.support.stack_process import StackProcess, emulator

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give a stack that keeps cents, which ran before and runs again."""
    stack = StackProcess(tmp_path_factory.mktemp("cents") / "home", PRICE_DECIMALS="2").start()
    stack.stop()
    stack.start()
    yield stack
    stack.clean_up()


class TestUp:
    def test_rows_keep_cents(self, up: StackProcess) -> None:
        """From the browser's 12.99 to the row, and on the page beside it."""
        event_id = str(uuid4())
        up.post(json.dumps({"eventId": event_id, "product": {"id": "p", "price": 12.99, "discountPrice": "0.49"}}))
        up.wait_for_rows([event_id], seconds=10)
        query = (
            "SELECT context_product_price, context_product_discount_price FROM clickstream_events WHERE event_id = %s"
        )
        assert up.ask(query, event_id) == [(1299, 49)]
        detail = httpx2.get(f"{up.stack.web_url}/api/events/{event_id}", timeout=10).json()
        shown = {each["column"]: each["value"] for each in detail["mapping"]}
        assert shown["context_product_price"] == detail["row"]["context_product_price"] == 1299

    def test_env_says_how_many(self, up: StackProcess) -> None:
        """So that commands in another shell may write to its warehouse."""
        done = emulator("env", "--home", up.home.path, "--json")
        assert json.loads(done.stdout)["PRICE_DECIMALS"] == "2"

    def test_it_does_not_start_with_others(self, up: StackProcess) -> None:
        """In one line, exit code 2; with the same it starts again."""
        up.stop()
        others = {name: value for name, value in os.environ.items() if name != "PRICE_DECIMALS"}
        for value, problem in (
            ("0", "stored with PRICE_DECIMALS=2, and here it is 0: set PRICE_DECIMALS=2, or rebuild"),
            ("cents", "PRICE_DECIMALS must be a whole number from 0 to 6, not 'cents'"),
        ):
            done = emulator("up", *up.options, env=others | {"PRICE_DECIMALS": value})
            assert done.returncode == 2
            assert problem in done.stderr
            assert "Traceback" not in done.stderr
        up.start()


class TestExternalWarehouse:
    def test_a_warehouse_with_others_is_refused(self, warehouse_url: str) -> None:
        """Before anything is projected; an empty one is fine."""
        ExternalWarehouse(warehouse_url, 2).start()
        warehouse = Warehouse(warehouse_url)
        warehouse.reject("raw", "events/a.json", "the body is an array")
        warehouse.close()
        ExternalWarehouse(warehouse_url).start()
        with pytest.raises(CommandError, match="stored with PRICE_DECIMALS=0, and here it is 2"):
            ExternalWarehouse(warehouse_url, 2).start()
