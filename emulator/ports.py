"""Loopback ports: whether one is free, and who holds it."""

import errno
import socket
from collections.abc import Mapping

import psutil

from emulator.errors import EmulatorError

__all__ = ["require_free"]


def require_free(ports: Mapping[str, int]) -> None:
    """Raise EmulatorError if two of the ports are the same, or one of 127.0.0.1 cannot be listened on.

    `ports` are named by the command-line options that choose them; the holder of a busy one is named if it can be seen.
    """
    if len(set(ports.values())) < len(ports):
        raise EmulatorError(f"{', '.join(ports)} must be different ports")
    for option, port in ports.items():
        _require_free(port, option)


def _require_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = (
                f"is in use{_holder(port)}" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            )
            raise EmulatorError(f"port {port} {reason}: free it, or choose another with {option}") from error


def _holder(port: int) -> str:
    """Name the process that listens on the port; empty if the system does not tell."""
    try:
        pids = {
            c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"
        }
        return "".join(f" by {psutil.Process(pid).name()} (process {pid})" for pid in pids if pid)
    except (psutil.Error, OSError):
        return ""
