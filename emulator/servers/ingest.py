"""The ingest server: `chalice local`, which is API Gateway and the ingest Lambda."""

import sys

import httpx2

from command_line.home import Home, Stack
from emulator.servers.environment import lambda_environment
from emulator.servers.lambdas import CHALICE_APP
from emulator.servers.part import Server, problem_of

__all__ = ["IngestServer"]


class IngestServer(Server):
    """`chalice local`: API Gateway and the ingest Lambda."""

    name = "ingest"

    def __init__(self, home: Home, stack: Stack) -> None:
        port = stack.ingest_url.rpartition(":")[2]
        # A stage of its own: what config.json sets for the stages in AWS does not override this environment.
        options = ["local", "--no-autoreload", "--stage", "local", "--host", "127.0.0.1", "--port", port]
        command = [sys.executable, "-m", "emulator.servers.chalice_local", "--project-dir", str(CHALICE_APP), *options]
        super().__init__(home, command, lambda_environment(stack))
        self._endpoint = stack.endpoint

    def check(self) -> str | None:
        """Send a preflight request."""
        return problem_of(
            lambda: httpx2.options(self._endpoint, timeout=5, trust_env=False).raise_for_status(), httpx2.HTTPError
        )
