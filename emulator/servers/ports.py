"""Loopback ports: whether one is free, who holds it, and which to take."""

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
# Below those that systems take for outgoing connections: a client that tries again and again to reach one of those
# while nobody listens there can end up connected to itself, and hold the port.
CHOSEN = range(15_000, 32_000)


def free_ports(count: int) -> tuple[int, ...]:
    """So many ports of 127.0.0.1, chosen at random, on which nothing listens now."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().choice(CHOSEN)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found += [port] if port not in found else []
    return tuple(found)


def require_free(ports: Mapping[str, int]) -> None:
    """Raise CommandError if two of the ports are the same, or one of 127.0.0.1 cannot be listened on.

    `ports` are named by the command-line options that choose them; the holder of a busy one is named if it can be seen.
    """
    if len(set(ports.values())) < len(ports):
        raise CommandError(f"{', '.join(ports)} must be different ports")
    for option, port in ports.items():
        # A server that was just killed may be gone, and one of its threads still hold the port for a moment.
        wait_until(lambda port=port: _problem(port) is None, PATIENCE_SECONDS)  # type: ignore[misc]
        if problem := _problem(port):
            raise CommandError(f"port {port} {problem}: free it, or choose another with {option}")


def _problem(port: int) -> str | None:
    """Why the port cannot be listened on; None if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            is_taken = error.errno == errno.EADDRINUSE
            return f"is in use{_holder(port)}" if is_taken else f"cannot be used ({error.strerror})"
    return None


def _holder(port: int) -> str:
    """Name the process that listens on the port; empty if the system does not tell."""
    try:
        pids = {
            c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"
        }
        return "".join(f" by {psutil.Process(pid).name()} (process {pid})" for pid in pids if pid)
    except (psutil.Error, OSError):
        return ""
