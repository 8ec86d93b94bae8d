"""Serves the dashboard on this computer until Ctrl-C."""

import socket
import webbrowser
from contextlib import suppress
from threading import Thread

import click
import uvicorn

from analysis.dashboard.bundle import bundle
from analysis.dashboard.events import Place
from analysis.dashboard.server import dashboard_app
from analysis.errors import AnalysisError

__all__ = ["serve"]

HOST = "127.0.0.1"


def serve(place: Place, port: int, *, is_opened: bool) -> None:
    """Serve until Ctrl-C, and print the address.

    Args:
        place: Where the events are.
        port: The port; 0 for any free one.
        is_opened: Open the address in the browser.

    Raises:
        AnalysisError: The port is in use.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen()  # whoever reads the address below may connect at once
        except OSError as error:
            raise AnalysisError(f"cannot use port {port}: {error.strerror}; choose another with --port") from error
        address = f"http://{HOST}:{listening.getsockname()[1]}/"
        # The first page needs it within a second, and making it takes longer.
        Thread(target=bundle, daemon=True).start()
        click.echo(f"The dashboard is at {address} (Ctrl-C stops it)")
        if is_opened:
            webbrowser.open(address)
        config = uvicorn.Config(dashboard_app(place), log_level="error", access_log=False, timeout_graceful_shutdown=1)
        # The server lets Ctrl-C through once it has ended.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([listening])
