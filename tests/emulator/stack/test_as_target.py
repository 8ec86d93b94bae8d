"""The running stack as a target: of a page that somebody else serves, of odd paths, and of clients that dawdle."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import boto3
import httpx2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from chalice.config import Config as ChaliceConfig
from click.testing import CliRunner

from app import app
from command_line.home import Home
from emulator.commands.seed import seed_command
from emulator.servers import connection
from emulator.servers.chalice_local import ingest_server
from tests.support.stack_process import StackProcess, wait_for

pytestmark = pytest.mark.stack

DAWDLERS = 40
CROWD = 200
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack."""
    stack = StackProcess(tmp_path_factory.mktemp("target") / "home").start()
    yield stack
    stack.clean_up()


@pytest.fixture(scope="module")
def open_stack() -> Iterator[StackProcess]:
    """Give a stack whose home lies where everybody may enter: other tests keep theirs in a private directory."""
    with TemporaryDirectory(prefix="clickstream-open-") as folder:
        Path(folder).chmod(0o755)
        stack = StackProcess(Path(folder) / "home").start()
        yield stack
        stack.clean_up()


def raw(port: int, request: str) -> str:
    """Send a request as it is, which no client would, and give the whole answer."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as client:
        client.sendall(request.encode())
        return b"".join(iter(lambda: client.recv(65536), b"")).decode(errors="replace")


def s3_client(stack: StackProcess, access_key: str, secret_key: str) -> Any:
    """A client of the stack's S3 server that tries once."""
    return boto3.client(
        "s3",
        endpoint_url=stack.stack.s3_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


# What another user runs: it gets a JSON value on stdin, and writes one. That user may not enter this repository, or the
# directory of its Python, so the modules that it needs are there before it becomes somebody else.
BECOME = """
import encodings.idna, json, os, sys, urllib.error, urllib.request
import psycopg
given = json.load(sys.stdin)
os.setgroups([])
os.setresgid(54321, 54321, 54321)
os.setresuid(54321, 54321, 54321)
"""
READ_FILES = """
found = []
for name in given:
    try:
        with open(name, "rb") as file:
            file.read(1)
        found.append(name)
    except PermissionError:
        pass
print(json.dumps(found))
"""
CONNECT = """
try:
    psycopg.connect(given)
    print(json.dumps("connected"))
except psycopg.OperationalError as error:
    print(json.dumps(str(error)))
"""
REQUEST = """
found = []
for method, url, body in given:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            found.append((answer.status, answer.read().decode()))
    except urllib.error.HTTPError as error:
        found.append((error.code, ""))
print(json.dumps(found))
"""


def as_another_user(script: str, given: Any) -> Any:
    """Run a script as a user who has nothing to do with us, if we are root, and give what it writes."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    command = [sys.executable, "-c", BECOME + script]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestOtherPages:
    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/api/reset"), ("PUT", "/api/faults"), ("POST", "/api/shoppers")]
    )
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    def test_none_changes_the_stack(self, method: str, path: str, origin: str, stack: StackProcess) -> None:
        """Not even one that is served by this computer, on another port."""
        answer = httpx2.request(method, f"{stack.stack.web_url}{path}", headers={"Origin": origin}, json={})
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers

    @pytest.mark.parametrize("origin", ["https://evil.example", "null"])
    def test_any_page_posts_events(self, origin: str, stack: StackProcess) -> None:
        """As to every collector: as text, and after a preflight as JSON."""
        for kind in ("text/plain", "application/json"):
            headers = {"Origin": origin, "Content-Type": kind}
            answer = httpx2.post(stack.stack.endpoint, headers=headers, content='{"eventName": "theirs"}')
            assert answer.status_code == 200
            assert (stack.bucket / answer.json()["key"]).exists()

    def test_a_name_that_is_made_to_resolve_here_reads_nothing(self, stack: StackProcess) -> None:
        """Neither of the page nor of the S3 server; ingest has nothing to read."""
        web, ingest, s3 = stack.ports
        for port, path in ((web, "/api/events"), (s3, "/clickstream-s3-ingest?list-type=2")):
            said = raw(port, f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            assert said.startswith("HTTP/1.1 400"), said
            assert "events/" not in said.partition("\r\n\r\n")[2]
        said = raw(ingest, "GET /clickstream HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert " 405 " in said.partition("\r\n")[0]

    def test_event_text_is_never_html(self, stack: StackProcess) -> None:
        """It is JSON, and browsers are told to take it for nothing else."""
        event_id = str(uuid4())
        stack.post(json.dumps({"eventId": event_id, "eventName": SCRIPT, "userId": SCRIPT}))
        stack.wait_for_rows([event_id])
        for path in ("/api/events", f"/api/events/{event_id}", f"/api/events/{SCRIPT}"):
            answer = httpx2.get(stack.stack.web_url + path)
            assert answer.headers["Content-Type"].startswith("application/json")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert SCRIPT in httpx2.get(f"{stack.stack.web_url}/api/events").text


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/web/../cli.py",
            "/web/..%2fcli.py",
            "/web/%2e%2e/cli.py",
            "/web/..\\cli.py",
            "//etc/passwd",
            "/web//etc/passwd",
        ],
    )
    def test_no_file_outside_is_served(self, path: str, stack: StackProcess) -> None:
        """Whatever the path is made of."""
        said = raw(stack.ports[0], f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert " 404 " in said.partition("\r\n")[0]
        assert "root:" not in said
        assert "import" not in said

    @pytest.mark.parametrize("identity", ["../../stack.json", "..%2f..%2fstack.json", "%2e%2e/%2e%2e/s3-key.json"])
    def test_no_id_is_a_path(self, identity: str, stack: StackProcess) -> None:
        """An event is looked for by its id or its object's key, and only among objects."""
        target = f"/api/events/{identity}"
        said = raw(stack.ports[0], f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert " 404 " in said.partition("\r\n")[0]
        assert stack.stack.secret_key not in said

    @pytest.mark.parametrize("key", ["../escaped.json", "events/../../../escaped.json", "/../../escaped.json"])
    def test_no_key_leaves_the_bucket(self, key: str, stack: StackProcess) -> None:
        """Not even for somebody who has the key pair: it is refused, or stays inside."""
        client = s3_client(stack, stack.stack.access_key, stack.stack.secret_key)
        with suppress(ClientError):
            client.put_object(Bucket=stack.stack.bucket, Key=key, Body=b"{}")
        outside = [path for path in stack.home.path.parent.rglob("escaped.json") if stack.home.s3 not in path.parents]
        assert outside == []


class TestFiles:
    def test_nobody_else_can_read_what_is_stored(self, open_stack: StackProcess) -> None:
        """Nothing below the home can be reached by another user but names; secrets are the owner's alone."""
        open_stack.post("{}")
        open_to_others = [
            path for path in open_stack.home.path.iterdir() if _mode(path) & 0o077 and path.stat().st_size
        ]
        assert open_to_others == []
        assert _mode(open_stack.home.path) & 0o066 == 0

    def test_another_user_reads_no_file_of_the_home(self, open_stack: StackProcess) -> None:
        """Each file with content is tried by its name: events, rows, logs, records and the key pair."""
        event_id = str(uuid4())
        open_stack.post(json.dumps({"eventId": event_id}))
        open_stack.wait_for_rows([event_id])
        seed = ["--days", "1", "--shoppers", "2", "--end", "2026-11-20T00", "--home", str(open_stack.home.path)]
        assert CliRunner().invoke(seed_command, seed).exit_code == 0
        # The database of a home that PostgreSQL's user cannot enter is elsewhere.
        ((database,),) = open_stack.ask("SHOW data_directory")
        folders = (open_stack.home.path, Path(database))
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
        assert {"stack.json", "s3.json", "seed-answers.json", "ingest.log", "PG_VERSION"} <= {
            path.name for path in files
        }
        assert any(path.is_relative_to(open_stack.bucket) for path in files)
        open_file = open_stack.home.path.with_name("open")
        open_file.write_text("x")
        assert as_another_user(READ_FILES, [str(path) for path in (open_file, *files)]) == [str(open_file)]

    def test_another_user_does_not_reach_the_warehouse(self, open_stack: StackProcess) -> None:
        """Its socket is in a directory of its owner; it has no password."""
        said = as_another_user(CONNECT, open_stack.stack.dw_url)
        assert "Permission denied" in said


class TestAnotherUser:
    """As docs/security.md says: page, API and ingest ask for no key, unlike S3."""

    def test_it_may_do_everything_through_the_api(self, new_stack: Callable[..., StackProcess]) -> None:
        """Post events, read all of them, switch faults, start shoppers, and reset."""
        stack = new_stack().start()
        key, api = stack.post('{"userId": "private"}').json()["key"], f"{stack.stack.web_url}/api"
        wait_for(lambda: stack.event_ids())
        requests: list[tuple[str, str, Any]] = [
            ("GET", f"{api}/events", None),
            ("GET", f"{api}/events/{key}", None),
            ("POST", stack.stack.endpoint, {"eventName": "theirs"}),
            ("PUT", f"{api}/faults", {"triggersTwice": True}),
            ("POST", f"{api}/shoppers", {"sessions": 1, "rate": 1}),
            ("POST", f"{api}/reset", {}),
        ]
        answers = as_another_user(REQUEST, requests)
        assert [status // 100 for status, _ in answers] == [2] * len(requests)
        assert "private" in answers[0][1]
        assert "private" in answers[1][1]
        assert not (stack.bucket / key).exists()

    def test_s3_asks_for_the_key_pair(self, stack: StackProcess) -> None:
        """Nobody lists, reads, puts or deletes without it, or with that of another home."""
        key = stack.post("{}").json()["key"]
        url = f"{stack.stack.s3_url}/{stack.stack.bucket}"
        requests: list[tuple[str, str, Any]] = [
            ("GET", f"{url}?list-type=2", None),
            ("GET", f"{url}/{key}", None),
            ("PUT", f"{url}/events/x.json", {}),
            ("DELETE", f"{url}/{key}", None),
        ]
        assert {status // 100 for status, _ in as_another_user(REQUEST, requests)} == {4}
        other = Home(stack.home.path.with_name("other-home"))
        other.create()
        for access_key, secret_key in (
            other.key_pair(),
            (stack.stack.access_key, other.key_pair()[1]),
        ):
            client = s3_client(stack, access_key, secret_key)
            where = {"Bucket": stack.stack.bucket}
            calls: list[tuple[Any, dict[str, Any]]] = [
                (client.list_objects_v2, where),
                (client.get_object, where | {"Key": key}),
                (client.put_object, where | {"Key": "events/x.json", "Body": b"{}"}),
                (client.delete_object, where | {"Key": key}),
            ]
            for call, parameters in calls:
                with pytest.raises(ClientError):
                    call(**parameters)
        assert (stack.bucket / key).exists()
        assert not (stack.bucket / "events" / "x.json").exists()
        assert s3_client(stack, *stack.home.key_pair()).get_object(Bucket=stack.stack.bucket, Key=key)["Body"].read()


class TestDawdlers:
    def test_they_keep_nobody_waiting(self, stack: StackProcess) -> None:
        """Bodies that never end, over many connections at once: events of others are taken all the same."""
        head = "POST /clickstream HTTP/1.1\r\nHost: a\r\nContent-type: application/json\r\nContent-Length: 99\r\n\r\n{"
        with ExitStack() as held:
            for _ in range(DAWDLERS):
                client = held.enter_context(
                    closing(socket.create_connection(("127.0.0.1", stack.ports[1]), timeout=30))
                )
                client.sendall(head.encode())
            ids = [str(uuid4()) for _ in range(10)]
            for event_id in ids:
                assert stack.post(json.dumps({"eventId": event_id})).status_code == 200
            stack.wait_for_rows(ids)
        assert stack.post("{}").status_code == 200

    def test_they_are_cut_off_in_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the same server, here with less patience."""
        assert connection.IDLE_SECONDS == 60
        monkeypatch.setattr(connection, "IDLE_SECONDS", 0.3)
        server = ingest_server(app, ChaliceConfig(), "127.0.0.1", 0)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            port = server.server.server_address[1]
            said = raw(port, "POST /clickstream HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
            assert said == ""
        finally:
            server.shutdown()
            thread.join()
            server.server.server_close()


class TestFraming:
    @pytest.mark.parametrize(
        "lines",
        [
            "Content-Length: abc",
            "Content-Length: -1",
            "Content-Length: 2\r\nContent-Length: 3",
            "Transfer-Encoding: xchunked",
            "Content-Length : 2",
        ],
    )
    @pytest.mark.parametrize(("part", "start"), [(0, "PUT /api/faults"), (1, "POST /clickstream"), (2, "PUT /a/b")])
    def test_a_length_that_is_none(self, lines: str, part: int, start: str, stack: StackProcess) -> None:
        """Every server responds, refuses it, and runs nothing of the rest."""
        head = f"{start} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{lines}\r\n\r\n"
        said = raw(stack.ports[part], f"{head}{{}}GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert said.partition("\r\n")[0].split()[1] in ("400", "501")
        assert said.count("HTTP/1.1 ") == 1

    def test_chunks(self, stack: StackProcess) -> None:
        """Ingest and the API take a body in pieces."""
        event_id = str(uuid4())
        pieces = iter([b'{"eventId": "', event_id.encode(), b'"}'])
        headers = {"Content-Type": "application/json"}
        answer = httpx2.post(stack.stack.endpoint, content=pieces, headers=headers)
        assert answer.status_code == 200
        stack.wait_for_rows([event_id])
        answer = httpx2.put(f"{stack.stack.web_url}/api/faults", content=iter([b"{", b"}"]))
        assert answer.status_code == 200


class TestReaders:
    def test_more_streams_than_are_allowed(self, stack: StackProcess) -> None:
        """The rest is told so, and the API responds beside them, though none of them takes anything."""
        request = "GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        found: Counter[str] = Counter()
        with ExitStack() as held:
            for _ in range(500):
                address = ("127.0.0.1", stack.ports[0])
                client = held.enter_context(closing(socket.create_connection(address, timeout=30)))
                client.sendall(request.encode())
                found[client.recv(12).decode()] += 1
            assert httpx2.get(f"{stack.stack.web_url}/api/health", timeout=30).status_code == 200
        assert found == {"HTTP/1.1 200": 20, "HTTP/1.1 503": 480}


class TestCrowd:
    def test_200_clients_with_new_connections(self, stack: StackProcess) -> None:
        """None of them is reset: the event of each is accepted."""
        event = "POST /clickstream HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        everybody = threading.Barrier(CROWD)

        def post(_number: int) -> str:
            with closing(socket.create_connection(("127.0.0.1", stack.ports[1]), timeout=60)) as client:
                everybody.wait()
                client.sendall(event.encode())
                return client.recv(100).decode().partition("\r\n")[0]

        with ThreadPoolExecutor(CROWD) as pool:
            assert Counter(pool.map(post, range(CROWD))) == {"HTTP/1.1 200 ": CROWD}


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
