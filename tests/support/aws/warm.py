"""The AWS CLI and Chalice's command, started once: each call is a fork of a process that has imported them already.

A call runs the program's own script, with the caller's arguments, environment, directory, input and outputs. It only
spares what two thirds of its time go into: starting Python, and importing the program.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["warm_programs"]

PROGRAMS = ("aws", "chalice")

# Stands on PATH in a program's place: hands its call over, and ends as the call does.
CALLER = """\
#!{python} -ISE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b"."], [0, 1, 2])
server.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
server.shutdown(socket.SHUT_WR)
code = server.recv(1)
sys.exit(code[0] if code else "{program} was killed")
"""


@contextmanager
def warm_programs() -> Iterator[Path]:
    """Start the programs; gives a directory for the front of PATH."""
    with TemporaryDirectory(prefix="warm-") as folder, ExitStack() as servers:
        directory = Path(folder)
        for name in PROGRAMS:
            program, address = Path(sys.executable).with_name(name), directory / f"{name}.socket"
            caller = directory / name
            caller.write_text(CALLER.format(python=sys.executable, address=str(address), program=name))
            caller.chmod(0o755)
            command = [sys.executable, __file__, str(program), str(address)]
            server = servers.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            servers.callback(server.terminate)
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
        yield directory


def _serve(program: str, address: str) -> None:
    """Answer each call in a process of its own, until terminated."""
    before = dict(os.environ)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        _run(program, ["--version"])
    # Such as where the AWS CLI has its data.
    own = {name: value for name, value in os.environ.items() if before.get(name) != value}
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    print("ready", flush=True)  # noqa: T201  # whoever started it waits for this
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            connection.sendall(bytes([_answer(connection, program, own)]))
            os._exit(0)
        connection.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _answer(connection: socket.socket, program: str, own: dict[str, str]) -> int:
    """Run the call that a connection brings; its exit code."""
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as call:
        arguments, directory, environment = json.load(call)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment | own)
    code = _run(program, arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _run(program: str, arguments: Sequence[str]) -> int:
    sys.argv = [program, *arguments]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)  # noqa: T201  # as the interpreter does, here and below
            return 1
        return ended.code or 0
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    del sys.path[0]  # the directory of this file, which no program's own start would have there
    _serve(*sys.argv[1:])
