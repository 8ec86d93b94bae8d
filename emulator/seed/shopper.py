"""A shopper and their habits: products, prices, times and length of visits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from emulator.seed.clock import DAY, HOUR
from emulator.shoppers.catalogue import Product

__all__ = ["Shopper", "new_shopper"]

# Probabilities of a shopper's habits.
KNOWN = 0.35  # first came before the history begins
TWO_DEVICES = 0.3
CURIOUS = 0.15  # looks at every category
THRIFTY = 0.35  # looks only at cheap or discounted products

MOST_FAVOURITES = 3
CHEAP = 500_000  # dong
UTC_OFFSET = 7 * HOUR  # of the shop's customers
PEAKS = (9, 12, 15, 20, 21, 22)  # hours of the day, local
SPREAD = 1.5  # hours around the peak, as a standard deviation
DAILY = (1.0, 7.0)  # beta distribution of the probability of a visit per day: many come seldom, few come often
WEEKEND = (0.4, 2.5)  # factor of that probability on a day of the weekend
MOST_DAILY = 0.8
STEPS = (4, 60)  # average number of events before a shopper's patience ends


@dataclass(frozen=True, slots=True)
class Shopper:
    """One person.

    Attributes:
        products: The products that interest them.
        devices: Number of their devices.
        is_known: Whether they came before the history begins.
        known_since: Time of the first visit in the history, as in `clock`.
        peak: Hour of the day, local, around which they come.
        weekday_chance: Probability of a visit on a weekday.
        weekend_chance: Probability of a visit on a day of the weekend.
        patience: Average number of events of a visit.
    """

    user_id: str
    products: tuple[Product, ...]
    devices: int
    is_known: bool
    known_since: int
    peak: int
    weekday_chance: float
    weekend_chance: float
    patience: float

    def arrivals(self, random: Random, end: int) -> Iterator[int]:
        """Yield the times of their visits in order, from `known_since` until before `end`; at least one."""
        times = sorted(time for time in self._wanted(random, end) if self.known_since <= time < end)
        yield from times or [self._once(random, end)]

    def steps(self, random: Random) -> int:
        """Choose the most events of one visit."""
        return 1 + int(random.expovariate(1 / self.patience))

    def _wanted(self, random: Random, end: int) -> Iterator[int]:
        for day in range(_day(self.known_since), _day(end) + 1):
            is_weekend = (day + 3) % 7 >= 5  # 1970 began on a Thursday
            while random.random() < (self.weekend_chance if is_weekend else self.weekday_chance):
                yield self._time(random, day)

    def _once(self, random: Random, end: int) -> int:
        """Choose one time, if possible one that suits their habits."""
        time = self._time(random, random.randint(_day(self.known_since), _day(end)))
        return time if self.known_since <= time < end else random.randrange(self.known_since, end)

    def _time(self, random: Random, day: int) -> int:
        """Choose a time on a day."""
        return day * DAY - UTC_OFFSET + int(random.gauss(self.peak, SPREAD) % 24 * HOUR)


def _day(time: int) -> int:
    """Return the number of the local day of a time."""
    return (time + UTC_OFFSET) // DAY


def new_shopper(random: Random, catalogue: Sequence[Product], start: int, end: int) -> Shopper:
    """Make a shopper who comes to the shop between `start` and `end`; the same `random` gives the same person."""
    is_known = random.random() < KNOWN
    chance = random.betavariate(*DAILY)
    return Shopper(
        user_id=f"user-{random.getrandbits(48):012x}",
        products=_interests(random, catalogue),
        devices=2 if random.random() < TWO_DEVICES else 1,
        is_known=is_known,
        known_since=start if is_known else random.randrange(start, end),
        peak=random.choice(PEAKS),
        weekday_chance=min(chance, MOST_DAILY),
        weekend_chance=min(chance * random.uniform(*WEEKEND), MOST_DAILY),
        patience=random.uniform(*STEPS),
    )


def _interests(random: Random, catalogue: Sequence[Product]) -> tuple[Product, ...]:
    categories = list(dict.fromkeys(product.category for product in catalogue))
    if random.random() > CURIOUS:
        categories = random.sample(categories, min(random.randint(1, MOST_FAVOURITES), len(categories)))
    liked = tuple(product for product in catalogue if product.category in categories)
    if random.random() < THRIFTY:
        return tuple(each for each in liked if each.discount_price or each.price <= CHEAP) or liked
    return liked
