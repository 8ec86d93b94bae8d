"""The whole stack, started as a user would: `python -m emulator up`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx2
import psutil
import psycopg
import pytest

from command_line.home import BUCKET, Home
from emulator.servers.ports import free_ports
from tests.support.samples import small_sample
from tests.support.stack_process import ROOT, StackProcess, emulator, wait_for

pytestmark = pytest.mark.stack

HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack, for the tests that leave it as it is."""
    stack = StackProcess(tmp_path_factory.mktemp("stack") / "home").start()
    yield stack
    stack.clean_up()


def csv_file(path: Path, lines: int) -> Path:
    """A file in the REES46 format: mostly views, every tenth a cart, every twentieth a purchase."""
    kinds = ["purchase", *["view"] * 4, "cart", *["view"] * 9, "cart", *["view"] * 4]
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(lines):
            time_of_day = f"00:{n // 60 % 60:02}:{n % 60:02}"
            labels = "," if n % 3 else "appliances.kettle,aqua"
            file.write(f"2019-10-01 {time_of_day} UTC,{kinds[n % 20]},{n},205,{labels},{n}.20,9,s{n // 7}\n")
    return path


def replay(stack: StackProcess, file: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Replay a file into a stack; the exit code and the report."""
    done = emulator("replay", file, "--home", stack.home.path, "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


class TestUp:
    def test_it_says_where_everything_is(self, up: StackProcess) -> None:
        """Every URL, and the command that exports them."""
        output = up.output()
        stack = up.stack
        for place in (
            stack.web_url,
            stack.endpoint,
            f"{stack.s3_url}/{BUCKET}",
            stack.dw_url,
            "python -m emulator env",
        ):
            assert place in output

    def test_a_posted_event_becomes_a_row_within_moments(self, up: StackProcess) -> None:
        """Through HTTP, S3, trigger and projector; the object is the event with `_ingest`."""
        event_id = str(uuid4())
        answer = up.post(json.dumps({"eventId": event_id, "eventName": "page_view", "price": "é"}))
        assert answer.status_code == 200
        up.wait_for_rows([event_id], seconds=10)
        key = answer.json()["key"]
        raw = json.loads((up.bucket / key).read_bytes())
        assert raw["_ingest"]["method"] == "POST"
        assert len(raw["_ingest"]) == 9
        assert key.startswith(f"events/{raw['_ingest']['receivedAt'][:13].replace('-', '/').replace('T', '/')}/event-")

    def test_any_s3_client_can_put_events_too(self, up: StackProcess) -> None:
        """A real S3 server, with a key pair; keys with spaces, `+` and letters beyond ASCII are projected."""
        stack = up.stack
        client = boto3.client(
            "s3",
            endpoint_url=stack.s3_url,
            aws_access_key_id=stack.access_key,
            aws_secret_access_key=stack.secret_key,
            region_name="us-east-1",
        )
        ids = [str(uuid4()) for _ in range(3)]
        for event_id, name in zip(ids, ("a b", "a+b", "sản phẩm"), strict=True):
            body = json.dumps({"eventId": event_id}).encode()
            client.put_object(Bucket=stack.bucket, Key=f"events/2020/01/01/00/{name}.json", Body=body)
        up.wait_for_rows(ids)
        listed = client.list_objects_v2(Bucket=stack.bucket, Prefix="events/2020/")["Contents"]
        assert len(listed) == 3

    def test_files_written_straight_to_disk_are_projected(self, up: StackProcess) -> None:
        """Also in directories just created, which the watcher can miss, and before the S3 server sees them."""
        ids = [str(uuid4()) for _ in range(60)]
        for n, event_id in enumerate(ids):
            path = up.bucket / f"events/2021/02/{n % 28 + 1:02}/{n % 24:02}/direct-{n}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"eventId": event_id}))
        up.wait_for_rows(ids)

    def test_an_object_that_is_no_event_is_named_and_kept(self, up: StackProcess) -> None:
        """A row of the rejects; everything else goes on."""
        path = up.bucket / "events/2021/03/01/00/reject.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"eventId": "a", ')
        query = "SELECT reason FROM clickstream_rejects WHERE key = %s"
        wait_for(lambda: up.ask(query, "events/2021/03/01/00/reject.json"))
        assert path.exists()

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "message"),
        [
            (b"", "application/json", 400, "the body is empty"),
            (b'{"a": NaN}', "application/json", 400, "NaN is not a JSON value at line 1, column 7"),
            (b'{"a": -Infinity}', "application/json", 400, "-Infinity is not a JSON value at line 1, column 7"),
            (b'{"a": 1,}', "application/json", 400, "the body is not JSON"),
            (b'{"a": "\xff"}', "application/json", 400, "not UTF-8: invalid start byte at byte 7"),
            (b"[1]", "text/plain", 400, "the body is an array: send one JSON object"),
            (b"1", "application/json", 400, "the body is a number"),
            (b'"a"', "application/json", 400, "the body is a string"),
            (b"null", "application/json", 400, "the body is null"),
            (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "application/json", 400, "nested deeper than 100 levels"),
            (b'{"a":"' + b"x" * 2**20 + b'"}', "application/json", 413, "at most 1048576 are accepted"),
            (b"{}", "application/xml", 415, "content type application/xml is not supported"),
            (b"{}", None, 415, "content type none is not supported"),
        ],
    )
    def test_a_bad_request_gets_its_answer_and_nothing_is_stored(
        self, body: bytes, content_type: str | None, status: int, message: str, up: StackProcess
    ) -> None:
        """Over real HTTP: JSON of one shape, with CORS headers."""
        before = up.raw_keys()
        answer = up.post(body, content_type)
        assert answer.status_code == status
        assert answer.json().keys() == {"success", "message"}
        assert message in answer.json()["message"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert up.raw_keys() == before

    def test_the_largest_event_is_stored(self, up: StackProcess) -> None:
        """1 MiB to the byte, and a number of any length."""
        body = b'{"a":' + b"9" * (2**20 - 6) + b"}"
        answer = up.post(body)
        assert answer.status_code == 200
        assert (up.bucket / answer.json()["key"]).read_bytes().startswith(body[:-1])

    def test_a_preflight_is_answered_on_a_kept_connection(self, up: StackProcess) -> None:
        """As a browser does it: preflight, then POST, over one connection."""
        with httpx2.Client() as client:
            preflight = client.options(
                up.stack.endpoint,
                headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"},
            )
            assert preflight.status_code == 200
            assert preflight.headers["Access-Control-Max-Age"] == "86400"
            answer = client.post(up.stack.endpoint, json={"eventName": "page_view"}, headers={"Origin": "https://a.b"})
            assert answer.status_code == 200

    def test_everything_listens_on_loopback_only(self, up: StackProcess) -> None:
        """No part can be reached from elsewhere."""
        listening = [
            connection.laddr
            for process in up.tree()
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert {address.ip for address in listening} == {"127.0.0.1"}
        assert {address.port for address in listening} == set(up.ports)

    def test_secrets_are_in_no_argument_and_in_no_readable_file(self, up: StackProcess) -> None:
        """The S3 key pair is passed by the environment, and kept for its owner only."""
        secret = up.stack.secret_key
        assert all(secret not in " ".join(process.cmdline()) for process in up.tree())
        holding = [path for path in up.home.path.glob("*.json") if secret in path.read_text()]
        assert len(holding) == 2
        assert all(path.stat().st_mode & 0o077 == 0 for path in holding)

    def test_health_tells_every_parts_state(self, up: StackProcess) -> None:
        """Each by name, with its place."""
        health = up.health()
        assert health["healthy"]
        assert health["sample"] is None
        assert {name: part["state"] for name, part in health["parts"].items()} == dict.fromkeys(
            ("warehouse", "s3", "projector", "reconciler", "ingest", "page"), "ok"
        )
        assert health["parts"]["ingest"]["where"] == up.stack.endpoint

    def test_a_sample_is_called_one_until_it_is_reset(self, new_stack: Callable[..., StackProcess]) -> None:
        """A stack that starts projects it, and says what it is; a reset of the running stack ends that."""
        stack = new_stack()
        written = small_sample(stack.home.path, shoppers=5)
        stack.start()
        assert "include a sample: made-up events of" in stack.output()
        assert "a sample: made-up events of" in stack.health()["sample"]
        wait_for(lambda: len(stack.event_ids()) == written.as_json()["rows"])
        assert httpx2.post(f"{stack.stack.web_url}/api/reset", timeout=30).status_code == 200
        assert stack.health()["sample"] is None
        # The stack still runs: the sample is in its warehouse at once.
        assert emulator("sample", "--home", stack.home.path, "--json").returncode == 0
        assert stack.event_ids()

    def test_the_page_is_served_to_loopback_names_only(self, up: StackProcess) -> None:
        """A name that is made to resolve here gets nothing."""
        assert "clickstream" in httpx2.get(up.stack.web_url).text
        assert httpx2.get(up.stack.web_url, headers={"Host": "evil.example"}).status_code == 400

    def test_a_second_one_on_the_same_home_is_refused_in_one_line(self, up: StackProcess) -> None:
        """And the first one goes on."""
        second = emulator("up", "--home", up.home.path)
        assert second.returncode == 2
        assert second.stderr.splitlines() == [
            f"Error: a stack is already running on {up.home.path}; stop it, or name another --home"
        ]
        assert up.health()["healthy"]

    def test_a_busy_port_is_named_in_one_line(self, up: StackProcess, tmp_path: Path) -> None:
        """With who holds it, and the option that chooses another."""
        other = free_ports(2)
        options = ["--web-port", str(other[0]), "--ingest-port", str(up.ports[1]), "--s3-port", str(other[1])]
        second = emulator("up", "--headless", "--home", tmp_path / "home", *options)
        assert second.returncode == 2
        (line,) = second.stderr.splitlines()
        assert f"port {up.ports[1]} is in use by python" in line
        assert "choose another with --ingest-port" in line

    def test_a_missing_program_is_named_in_one_line(self, tmp_path: Path) -> None:
        """And what was started is stopped again."""
        web, ingest, s3 = map(str, free_ports(3))
        options = ["--home", str(tmp_path / "home"), "--web-port", web, "--ingest-port", ingest, "--s3-port", s3]
        code = (
            "import pathlib, emulator.servers.s3, emulator.commands.main\n"
            "emulator.servers.s3.sys.executable = '/nowhere/python'\n"
            f"emulator.commands.main.main(['up', *{options!r}])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=90
        )
        assert done.returncode == 2
        assert (
            done.stderr == "Error: rclone is missing from /nowhere: set the virtual environment up with 'make setup'\n"
        )

    def test_neither_a_proxy_nor_a_narrow_terminal_matters(self, new_stack: Callable[..., StackProcess]) -> None:
        """A company's proxy cannot reach this machine's loopback; a terminal may not know every letter."""
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:1")
        stack = new_stack("hömé", PYTHONIOENCODING="ascii", **proxies).start()
        event_id = str(uuid4())
        assert stack.post(json.dumps({"eventId": event_id})).status_code == 200
        stack.wait_for_rows([event_id])
        assert stack.stop() == 0
        assert "h?m?" in stack.output()

    def test_another_postgresql_can_be_the_warehouse(
        self, new_stack: Callable[..., StackProcess], warehouse_url: str
    ) -> None:
        """`--dw` names it; none is started, and the stack says which one it uses."""
        stack = new_stack("home", "--dw", warehouse_url).start()
        event_id = str(uuid4())
        stack.post(json.dumps({"eventId": event_id}))
        stack.wait_for_rows([event_id])
        assert stack.stack.dw_url == warehouse_url
        assert not any(process.name() == "postgres" for process in stack.tree())
        assert f"{warehouse_url} (given by --dw)" in stack.output()

    def test_the_warehouse_of_another_home_is_left_alone(
        self, new_stack: Callable[..., StackProcess], warehouse_url: str
    ) -> None:
        """`DW_URL`, as `env` of another stack sets it, does not count; the stack says that it uses its own."""
        stack = new_stack(DW_URL=warehouse_url).start()
        event_id = str(uuid4())
        stack.post(json.dumps({"eventId": event_id}))
        stack.wait_for_rows([event_id])
        assert stack.stack.is_own_dw
        assert f"{stack.stack.dw_url} (of this home)" in stack.output()
        assert "DW_URL is not used: the warehouse is this home's own; another one needs --dw" in stack.output()
        with psycopg.connect(warehouse_url) as connection:
            assert connection.execute("SELECT to_regclass('clickstream_events')").fetchone() == (None,)

    def test_a_warehouse_that_does_not_answer_is_named_in_one_line(self, tmp_path: Path) -> None:
        """Without its password."""
        ports = [str(port) for port in free_ports(3)]
        options = [
            part for pair in zip(("--web-port", "--ingest-port", "--s3-port"), ports, strict=True) for part in pair
        ]
        dw = ["--dw", "postgresql://u:secret@127.0.0.1:1/db"]
        done = emulator("up", "--home", tmp_path / "home", *options, *dw)
        assert done.returncode == 2
        assert "the warehouse given by --dw does not answer" in done.stderr
        assert "secret" not in done.stderr + done.stdout

    def test_an_event_waits_while_the_warehouse_is_away(self, new_stack: Callable[..., StackProcess]) -> None:
        """A stopped PostgreSQL costs nothing but time: the sweep offers again what failed."""
        stack = new_stack().start()
        (server,) = [
            process for process in stack.tree() if process.name() == "postgres" and process.parent() == stack.tree()[0]
        ]
        backends = server.children()
        for process in [server, *backends]:
            process.suspend()
        event_id = str(uuid4())
        assert stack.post(json.dumps({"eventId": event_id})).status_code == 200
        time.sleep(1)
        for process in [*backends, server]:
            process.resume()
        stack.wait_for_rows([event_id])


class TestHomes:
    @pytest.mark.parametrize("name", ["with spaces and 'quotes'", "Đồ án ü", "long" * 60])
    def test_any_path_will_do(self, name: str, new_stack: Callable[..., StackProcess], tmp_path: Path) -> None:
        """Spaces, letters beyond ASCII, over 107 bytes: events travel all the way, and survive a restart."""
        stack = new_stack(name).start()
        code, report = replay(stack, csv_file(tmp_path / "a.csv", 20))
        assert (code, report["new_rows"]) == (0, 20)
        stack.stop()
        stack.start()
        assert len(stack.event_ids()) == 20


class TestEnv:
    def test_its_lines_point_other_programs_at_the_stack(self, up: StackProcess) -> None:
        """A shell that has read them needs no other argument."""
        lines = emulator("env", "--home", up.home.path).stdout
        program = (
            "import boto3, os, psycopg; psycopg.connect().execute('SELECT 1');"
            "print(boto3.client('s3').list_buckets()['Buckets'][0]['Name'] == os.environ['RAW_BUCKET_NAME'])"
        )
        script = f'{lines}\n{sys.executable} -c "{program}"'
        clean = {"PATH": os.environ["PATH"], "AWS_PROFILE": "none", "PGSERVICE": "none"}
        done = subprocess.run(
            ["/bin/sh", "-c", script], capture_output=True, text=True, check=False, env=clean, timeout=60
        )
        assert done.stdout == "True\n", done.stderr

    def test_json_holds_the_same(self, up: StackProcess) -> None:
        """For programs."""
        environment = json.loads(emulator("env", "--home", up.home.path, "--json").stdout)
        assert environment["DW_URL"] == up.stack.dw_url
        assert environment["CLICKSTREAM_ENDPOINT"] == up.stack.endpoint

    def test_its_lines_name_the_home(self, up: StackProcess, monkeypatch: pytest.MonkeyPatch) -> None:
        """By which backfill knows that a sample stays in its own stack, read through S3 too."""
        for name, value in json.loads(emulator("env", "--home", up.home.path, "--json").stdout).items():
            monkeypatch.setenv(name, value)
        assert Home.default().path == up.home.path
        assert Home.default().read_stack() == up.stack

    def test_without_a_stack_it_says_so(self, tmp_path: Path) -> None:
        """In one line, exit code 2."""
        done = emulator("env", "--home", tmp_path / "nothing")
        assert done.returncode == 2
        assert "no stack has run on" in done.stderr


class TestReset:
    def test_it_asks_and_then_deletes_everything(self, new_stack: Callable[..., StackProcess]) -> None:
        """Not while the stack runs; not without a yes; then events and rows are gone."""
        stack = new_stack().start()
        event_id = str(uuid4())
        stack.post(json.dumps({"eventId": event_id}))
        stack.wait_for_rows([event_id])
        assert emulator("reset", "--home", stack.home.path, "--yes").returncode == 2
        stack.stop()
        assert emulator("reset", "--home", stack.home.path, input="n\n").returncode == 1
        assert stack.raw_keys()
        stack.home.lake.mkdir()
        assert emulator("reset", "--home", stack.home.path, input="y\n").returncode == 0
        assert not stack.raw_keys()
        assert not stack.home.lake.exists()
        stack.start()
        assert stack.event_ids() == []

    def test_a_directory_that_is_no_home_is_left_alone(self, tmp_path: Path) -> None:
        """However its folders are called."""
        (tmp_path / "s3").mkdir()
        done = emulator("reset", "--home", tmp_path, "--yes")
        assert done.returncode == 2
        assert "nothing was deleted" in done.stderr
        assert (tmp_path / "s3").exists()


class TestReplay:
    def test_a_second_replay_is_the_same_events(self, new_stack: Callable[..., StackProcess], tmp_path: Path) -> None:
        """Twice the objects, in the hours of their receipt; the same rows, each with what its line says."""
        stack = new_stack().start()
        hours = {f"{datetime.now(UTC):%Y/%m/%d/%H}"}
        file = csv_file(tmp_path / "events.csv", 100)
        code, report = replay(stack, file)
        assert (code, report["accepted"], report["stored"], report["new_rows"]) == (0, 100, 100, 100)
        code, report = replay(stack, file, "--concurrency", "2")
        assert (code, report["accepted"], report["new_rows"], report["already_known"]) == (0, 100, 0, 100)
        hours.add(f"{datetime.now(UTC):%Y/%m/%d/%H}")
        assert len(stack.raw_keys()) == 200
        assert {key[len("events/") :].rpartition("/")[0] for key in stack.raw_keys()} <= hours
        assert len(stack.event_ids()) == 100
        assert stack.ask("SELECT count(DISTINCT session_id) FROM clickstream_events") == [(15,)]
        by_name = dict(stack.ask("SELECT event_name, count(*) FROM clickstream_events GROUP BY 1"))
        assert by_name == {"product_view": 85, "add_to_cart_click": 10, "checkout_complete": 5}
        query = "SELECT session_id, user_id, context_product_brand, context_product_category, context_product_price"
        row = stack.ask(f"{query} FROM clickstream_events WHERE context_product_id = '3'")
        assert row == [("s0", "9", "aqua", "appliances.kettle", 3)]

    @pytest.mark.real_file
    def test_the_real_file_of_a_real_shop(self, new_stack: Callable[..., StackProcess], real_file: Path) -> None:
        """1,000 real events of REES46: 1,000 rows; replayed: 2,000 files and still 1,000 rows."""
        stack = new_stack().start()
        hours = {f"{datetime.now(UTC):%Y/%m/%d/%H}"}
        code, report = replay(stack, real_file)
        assert (code, report["accepted"], report["stored"], report["new_rows"]) == (0, 1000, 1000, 1000)
        by_name = dict(stack.ask("SELECT event_name, count(*) FROM clickstream_events GROUP BY 1"))
        assert by_name == {"product_view": 987, "add_to_cart_click": 3, "checkout_complete": 10}
        assert stack.ask("SELECT count(DISTINCT session_id) FROM clickstream_events") == [(372,)]
        code, report = replay(stack, real_file)
        assert (code, report["new_rows"], report["already_known"]) == (0, 0, 1000)
        hours.add(f"{datetime.now(UTC):%Y/%m/%d/%H}")
        assert len(stack.raw_keys()) == 2000
        assert {key[len("events/") :].rpartition("/")[0] for key in stack.raw_keys()} <= hours
        assert len(stack.event_ids()) == 1000
