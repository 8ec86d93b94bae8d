"""Runs `chalice local` as a child process of the stack, without Nagle's delay and with a timeout."""

from chalice.cli import main
from chalice.local import ChaliceRequestHandler

__all__: list[str] = []

# The server writes headers and body separately; Nagle's algorithm then delays the body by 40 ms on kept connections.
ChaliceRequestHandler.disable_nagle_algorithm = True
# Seconds without data after which the connection is closed: a client that never ends its request would block a thread
# for ever. In AWS, API Gateway closes it sooner.
ChaliceRequestHandler.timeout = 60

if __name__ == "__main__":
    main()
