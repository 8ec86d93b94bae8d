"""The dashboard over the home of the running stack. It is made when it is first asked for."""

from threading import Lock, Thread

from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from command_line.home import Home
from emulator.api.running import Running
from emulator.stack.beginning import Beginning

__all__ = ["Dashboard"]

FRESH_SECONDS = 10  # who clicks in the shop looks soon
TABS = {"shop": "/", "pipeline": "/pipeline"}


class Dashboard:
    """The dashboard's application. A reset, and the first compaction, replace it, since it keeps what it has read."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._lake = Home(running.bucket.parent.parent).lake
        self._lock = Lock()
        self._app: ASGIApp | None = None
        self._of: tuple[Beginning | None, bool] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below the path at which this is mounted."""
        app = await to_thread.run_sync(self._current)
        await app(scope, receive, send)

    def _current(self) -> ASGIApp:
        from analysis.lake.location import Location  # as below

        with self._lock:
            of = (self._running.reset.at, Location(str(self._lake)).exists)
            if self._app is None or of != self._of:
                self._app, self._of = self._make(has_lake=of[1]), of
            return self._app

    def _make(self, *, has_lake: bool) -> ASGIApp:
        # Imported here, because the libraries of charts and queries take more than a second to import.
        from analysis.dashboard.bundle import bundle
        from analysis.dashboard.events import Place
        from analysis.dashboard.server import dashboard_app

        Thread(target=bundle, name="Vega's scripts", daemon=True).start()
        lake = str(self._lake) if has_lake else False
        place = Place(self._running.bucket, self._running.stack.dw_url, lake=lake, fresh_seconds=FRESH_SECONDS)
        return dashboard_app(place, tabs=TABS)
