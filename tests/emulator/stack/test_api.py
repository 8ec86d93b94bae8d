"""The API of a whole stack, as other people's tests and the page use it."""

import json
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest

from tests.support.stack_process import StackProcess, emulator, wait_for

pytestmark = pytest.mark.stack


class Api:
    """The API of one stack."""

    def __init__(self, stack: StackProcess) -> None:
        self.stack = stack
        self.url = f"{stack.stack.web_url}/api"

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
        """The answer to a request that must succeed."""
        answer = httpx2.request(method, f"{self.url}{path}", json=body, params=parameters, timeout=90)
        assert answer.status_code in (200, 202), answer.text
        content: dict[str, Any] = answer.json()
        return content

    def switch(self, **faults: bool) -> None:
        assert self.ask("PUT", "/faults", faults).items() >= faults.items()

    def events(self, **filters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", "/events", **filters)["events"]
        return found

    def post(self, name: str, event_id: str | None = None) -> None:
        """Post one event that must be accepted."""
        event = {"eventName": name, "eventId": event_id or str(uuid4())}
        assert self.stack.post(json.dumps(event)).status_code == 200

    def wait(self, name: str, count: int = 1) -> None:
        self.ask("GET", "/wait", eventName=name, count=count, timeout=60)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack, without a page."""
    stack = StackProcess(tmp_path_factory.mktemp("api") / "home", "--headless").start()
    yield stack
    stack.clean_up()


@pytest.fixture
def api(stack: StackProcess) -> Api:
    """Give its API, after a reset."""
    api = Api(stack)
    api.ask("POST", "/reset")
    return api


class TestHeadless:
    def test_one_line_on_stdout_says_that_it_is_ready(self, stack: StackProcess) -> None:
        """And where; everything else goes to stderr."""
        (line,) = stack.stdout().splitlines()
        word, *places = line.split(" ")
        assert word == "ready"
        assert dict(place.split("=", 1) for place in places).keys() == {"endpoint", "api", "s3", "dw"}
        assert f"endpoint={stack.stack.endpoint}" in places
        assert "ingest is up" in stack.output()

    def test_there_is_no_page(self, stack: StackProcess) -> None:
        """Only the API."""
        assert httpx2.get(stack.stack.web_url).status_code == 404


class TestWait:
    def test_one_curl_is_enough_for_a_ci_job(self, api: Api) -> None:
        """It ends with 0 once the event is in the warehouse, and with an error if it does not come."""
        api.post("checkout_complete")
        for name, code in (("checkout_complete", 0), ("checkout_start", 22)):
            url = f"{api.url}/wait?eventName={name}&count=1&timeout={10 if code == 0 else 0}"
            assert subprocess.run(["curl", "-sf", url], capture_output=True, check=False).returncode == code


class TestReset:
    def test_a_fresh_start_in_a_running_stack(self, api: Api) -> None:
        """No object, no row, no reject, no trace, no fault is left; and what comes next goes all the way."""
        api.post("click")
        assert api.stack.post("[1]").status_code == 400
        (api.stack.bucket / "events" / "reject.json").write_text("[1]")
        api.wait("click")
        wait_for(lambda: api.events(state="rejected"))
        api.switch(storageDown=True, triggersOff=True)
        api.ask("POST", "/reset")
        assert api.stack.raw_keys() == set()
        assert api.stack.event_ids() == []
        assert api.stack.ask("SELECT * FROM clickstream_rejects") == []
        assert api.events() == []
        assert not any(api.ask("GET", "/faults").values())
        api.post("page_view")
        api.wait("page_view")
        assert [event["state"] for event in api.events()] == ["row"]

    def test_a_reset_that_has_to_wait_for_the_warehouse(self, api: Api) -> None:
        """Comes to its end, with what was posted meanwhile; what comes next goes all the way."""
        api.post("click")
        api.wait("click")
        with psycopg.connect(api.stack.stack.dw_url) as other:
            other.execute("SELECT count(*) FROM clickstream_events")
            thread = threading.Thread(target=api.ask, args=("POST", "/reset"))
            thread.start()
            time.sleep(0.5)
            api.post("page_view")
            other.rollback()
        thread.join()
        api.post("logout")
        api.wait("logout")
        assert [event["eventName"] for event in api.events(state="row")][-1] == "logout"


class TestFaults:
    def test_triggers_twice(self, api: Api) -> None:
        """The projector runs twice for each object; there is one row."""
        api.switch(triggersTwice=True)
        for _ in range(5):
            api.post("click")
        # The second delivery is counted when it begins, and the row comes after it.
        wait_for(lambda: [(event["deliveries"], event["state"]) for event in api.events()] == [(2, "row")] * 5)
        assert len(api.stack.event_ids()) == 5

    def test_an_event_sent_twice(self, api: Api) -> None:
        """Has two objects and one row: the second is a duplicate."""
        event_id = str(uuid4())
        for _ in range(2):
            api.post("click", event_id)
        wait_for(lambda: sorted(event["state"] for event in api.events()) == ["duplicate", "row"])
        event = api.ask("GET", f"/events/{event_id}")
        assert len(event["objects"]) == len(event["traces"]) == 2
        assert event["row"]["event_id"] == event_id

    def test_triggers_late_and_out_of_order(self, api: Api) -> None:
        """Rows come later, in another order, and none is missing."""
        api.switch(triggersOutOfOrder=True, triggersLate=True)
        for _ in range(20):
            api.post("click")
        api.wait("click", 20)
        wait_for(lambda: len(api.events(state="row")) == 20)
        events = api.events()
        assert all(event["isLate"] for event in events)
        assert [event["rowAt"] for event in events] != sorted(event["rowAt"] for event in events)

    def test_triggers_off(self, api: Api) -> None:
        """Events wait in S3; on again, they are projected."""
        api.switch(triggersOff=True)
        for _ in range(5):
            api.post("click")
        wait_for(lambda: [event["state"] for event in api.events()] == ["stored"] * 5)
        assert api.ask("GET", "/health")["parts"]["projector"]["pending"] == 5
        api.switch(triggersOff=False)
        api.wait("click", 5)

    def test_a_constraint_that_refuses_rows(self, api: Api) -> None:
        """Other events become rows; the refused ones are named with the constraint, and come when it is gone."""
        with psycopg.connect(api.stack.stack.dw_url, autocommit=True) as analyst:
            analyst.execute("ALTER TABLE clickstream_events ADD CONSTRAINT no_bad CHECK (event_name <> 'bad')")
            for name in ("bad", "click", "bad"):
                api.post(name)
            api.wait("click", 1)
            wait_for(lambda: len(api.events(state="failed")) == 2)
            reasons = {(event["eventName"], event["reason"]) for event in api.events(state="failed")}
            assert reasons == {("bad", "the warehouse refused the row: CheckViolation of no_bad")}
            projector = httpx2.get(f"{api.url}/health", timeout=30).json()["parts"]["projector"]
            assert (projector["pending"], projector["failing"]) == (2, 2)
            assert projector["detail"].startswith("2 objects failed, and are tried again; the last: ")
            analyst.execute("ALTER TABLE clickstream_events DROP CONSTRAINT no_bad")
        api.wait("bad", 2)

    def test_warehouse_down(self, api: Api) -> None:
        """Events are accepted, and wait with a reason; afterwards they are rows."""
        api.switch(warehouseDown=True)
        for _ in range(5):
            api.post("click")
        wait_for(lambda: [event["state"] for event in api.events()] == ["failed"] * 5)
        assert "the warehouse failed" in api.events()[0]["reason"]
        health = httpx2.get(f"{api.url}/health", timeout=30)
        assert (health.status_code, health.json()["parts"]["warehouse"]["detail"]) == (503, "switched off")
        assert "problem" in httpx2.get(f"{api.url}/wait?timeout=0", timeout=30).json()
        api.switch(warehouseDown=False)
        api.wait("click", 5)
        wait_for(lambda: [event["state"] for event in api.events()] == ["row"] * 5)

    def test_storage_down_while_shoppers_click(self, api: Api) -> None:
        """Ingest answers 503 meanwhile; afterwards every seq of every tab is in the warehouse, once."""
        api.ask("POST", "/shoppers", {"sessions": 6, "rate": 20})
        wait_for(lambda: len(api.events(state="row")) >= 10)
        api.switch(storageDown=True)
        wait_for(lambda: len(api.events(state="refused")) >= 5)
        assert {event["status"] for event in api.events(state="refused")} == {503}
        assert api.ask("GET", "/shoppers")["waiting"] > 0
        api.switch(storageDown=False)
        wait_for(lambda: not api.ask("GET", "/shoppers")["running"], 120)
        shoppers = api.ask("GET", "/shoppers")
        assert (shoppers["finished"], shoppers["waiting"], shoppers["refused"]) == (6, 0, 0)
        wait_for(lambda: len(api.events(state="row")) >= shoppers["accepted"])
        seqs = defaultdict(list)
        for event in api.events(state="row"):
            seqs[event["tabId"]].append(event["seq"])
        assert all(sorted(tab) == list(range(1, len(tab) + 1)) for tab in seqs.values())
        assert sum(map(len, seqs.values())) == shoppers["accepted"] == len(api.stack.event_ids())


class TestShoppers:
    def test_on_the_command_line(self, api: Api) -> None:
        """Their events are in the warehouse when they have left."""
        done = emulator("shoppers", "--home", api.stack.home.path, "--sessions", "2", "--rate", "100", "--json")
        report = json.loads(done.stdout)
        assert (done.returncode, report["lost"], report["refused"]) == (0, 0, 0)
        api.ask("GET", "/wait", count=report["accepted"], timeout=60)

    def test_one_run_at_a_time(self, api: Api) -> None:
        """A second one is refused; the first can be stopped."""
        api.ask("POST", "/shoppers", {"sessions": 1000, "rate": 5})
        answer = httpx2.post(f"{api.url}/shoppers", json={}, timeout=30)
        assert (answer.status_code, answer.json()["success"]) == (409, False)
        assert not api.ask("DELETE", "/shoppers")["running"]
