"""The shoppers who are on the site at a time: whose step is next, and when."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from command_line.errors import CommandError
from emulator.shoppers.browser import Browser, Session
from emulator.shoppers.catalogue import Product
from emulator.shoppers.visit import Step, visit

__all__ = ["FASTEST", "MOST_SESSIONS", "SLOWEST", "Crowd"]

MOST_SESSIONS = 100_000
SLOWEST, FASTEST = 0.1, 1_000.0  # events per second

SECONDS_BETWEEN_STEPS = 1.0  # of one shopper, on average: with the rate, it gives how many are on the site at a time
RETURNS = 0.25  # how likely a visit is one of a browser that was there before
MOST_REMEMBERED = 100  # browsers that may return


@dataclass(eq=False, slots=True)
class _Shopper:
    session: Session
    steps: deque[Step]


class Crowd:
    """All visits, interleaved; the same seed gives the same visits in the same order. Iterate over it once.

    Raises CommandError for a number of sessions, or a rate in events per second, that is out of range.
    """

    def __init__(self, catalogue: Sequence[Product], shop_url: str, sessions: int, rate: float, seed: int) -> None:
        if not (1 <= sessions <= MOST_SESSIONS and SLOWEST <= rate <= FASTEST):
            raise CommandError(
                f"sessions must be 1 to {MOST_SESSIONS:,}, and the rate {SLOWEST} to {FASTEST:,.0f} events per second"
            )
        self.begun = 0
        self.finished = 0
        self.most_at_a_time = min(max(1, round(rate * SECONDS_BETWEEN_STEPS)), sessions)
        self._catalogue = catalogue
        self._shop_url = shop_url
        self._sessions = sessions
        self._rate = rate
        self._seed = seed
        self._random = Random(seed)  # noqa: S311  # guards nothing
        self._browsers = 0
        self._gone: deque[Browser] = deque(maxlen=MOST_REMEMBERED)

    def __iter__(self) -> Iterator[tuple[float, Session, Step]]:
        """Each step, in whose session, and how many seconds after the first one: evenly spaced, with jitter."""
        shoppers: list[_Shopper] = []
        number = 0
        while shoppers or self.begun < self._sessions:
            if self.begun < self._sessions and len(shoppers) < self.most_at_a_time:
                shoppers.append(self._begin())
            shopper = self._random.choice(shoppers)
            yield max(number - self._random.random(), 0) / self._rate, shopper.session, shopper.steps.popleft()
            number += 1
            if not shopper.steps:
                shoppers.remove(shopper)
                self._finish(shopper)

    def _begin(self) -> _Shopper:
        self.begun += 1
        browser = self._browser()
        # A generator of its own per visit: how visits are interleaved changes none of them.
        random = Random(f"{self._seed}/{self.begun}")  # noqa: S311  # guards nothing
        steps = deque(visit(random, self._catalogue, self._shop_url, browser.user_id))
        return _Shopper(browser.open_session(), steps)

    def _browser(self) -> Browser:
        if self._gone and self._random.random() < RETURNS:
            browser = self._random.choice(self._gone)
            self._gone.remove(browser)
            return browser
        self._browsers += 1
        return Browser(f"shopper-{self._browsers}")

    def _finish(self, shopper: _Shopper) -> None:
        self.finished += 1
        self._gone.append(shopper.session.browser)
