"""Runs `chalice local` as a child process of the stack, without Nagle's delay and with a timeout."""

from chalice.cli import main
from chalice.local import ChaliceRequestHandler

__all__: list[str] = []

# The server writes headers and body separately; Nagle's algorithm then delays the body by 40 ms on kept connections.
ChaliceRequestHandler.disable_nagle_algorithm = True
# Seconds without data after which the connection is closed: a client that never ends its request would block a thread
# for ever. In AWS, API Gateway closes it sooner.
ChaliceRequestHandler.timeout = 60
# Ingest logs each event itself. A second line for each request, preflights included, would only make the log longer,
# and quote whatever a client puts into the path.
ChaliceRequestHandler.log_request = lambda *_: None

if __name__ == "__main__":
    main()
