"""`chalice local` as a child of the stack: Chalice's own server, without the pause of small packets."""

from chalice.cli import main
from chalice.local import ChaliceRequestHandler

__all__: list[str] = []

# It writes headers and body apart; Nagle's algorithm then holds the body back for 40 ms on kept connections.
ChaliceRequestHandler.disable_nagle_algorithm = True
# Seconds that a client may say nothing for: one that never ends its request would hold a thread for ever. In AWS, API
# Gateway ends it sooner.
ChaliceRequestHandler.timeout = 60

if __name__ == "__main__":
    main()
