"""Loopback ports: checks that given ports are free, names the program that uses one, and finds free ones."""

import errno
import random
import socket
from collections.abc import Mapping
from contextlib import suppress

import psutil

from command_line.errors import CommandError
from emulator.servers.processes import wait_until

__all__ = ["free_ports", "require_free"]

PATIENCE_SECONDS = 1.0
# Below the ports of outgoing connections: a client that keeps trying to reach such a port while nobody listens there
# can connect to itself, and occupy the port.
CHOSEN = range(15_000, 32_000)


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` random ports of 127.0.0.1 on which nothing listens now."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().choice(CHOSEN)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found += [port] if port not in found else []
    return tuple(found)


def require_free(ports: Mapping[str, int]) -> None:
    """Check that the ports differ, and that each can be used on 127.0.0.1.

    Args:
        ports: Port numbers, by the command-line options that choose them.

    Raises:
        CommandError: Two ports are equal, or one cannot be used. The message names the program that uses it, if the
            system tells.
    """
    if len(set(ports.values())) < len(ports):
        raise CommandError(f"{', '.join(ports)} must be different ports")
    for option, port in ports.items():
        # A thread of a server that was just killed may still hold the port for a moment.
        wait_until(lambda port=port: _problem(port) is None, PATIENCE_SECONDS)  # type: ignore[misc]
        if problem := _problem(port):
            raise CommandError(f"port {port} {problem}: free it, or choose another with {option}")


def _problem(port: int) -> str | None:
    """Return why no server can listen on the port; None if one can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            is_taken = error.errno == errno.EADDRINUSE
            return f"is in use{_holder(port)}" if is_taken else f"cannot be used ({error.strerror})"
    return None


def _holder(port: int) -> str:
    """Return " by NAME (process ID)" of the process that listens on the port; empty if the system does not tell."""
    try:
        pids = {
            c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"
        }
        return "".join(f" by {psutil.Process(pid).name()} (process {pid})" for pid in pids if pid)
    except (psutil.Error, OSError):
        return ""
