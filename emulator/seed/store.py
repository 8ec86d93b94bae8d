"""The store whose history the seed writes: its seed, its shoppers and its hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from emulator.seed.clock import DAY
from emulator.seed.history import History
from emulator.seed.origins.origin import Origins
from emulator.seed.planted import Fault, plant
from emulator.seed.shopper import new_shopper
from emulator.seed.visits import events_of
from emulator.shoppers.catalogue import Product, read_catalogue

__all__ = ["Store"]


@dataclass(frozen=True)
class Store:
    """A history of `days` days until `end`, with planted faults or clean.

    Each shopper has separate random generators, so that histories do not depend on their order, and a clean history
    differs only by the missing faults.

    Attributes:
        seed: Decides everything that is random.
        days: Length of the history.
        shoppers: Number of shoppers.
        end: A full hour, not included, as in `clock`.
        is_clean: Whether no faults are planted.
        only: The name of the only fault that is planted; None for all of them in turn.
        catalogue: The products of the shop.

    Raises:
        CommandError: The shop's catalogue is missing.
    """

    seed: int
    days: int
    shoppers: int
    end: int
    is_clean: bool = False
    only: str | None = None
    catalogue: Sequence[Product] = field(default_factory=read_catalogue, repr=False)

    @cached_property
    def start(self) -> int:
        """The first hour, as in `clock`."""
        return self.end - self.days * DAY

    def history(self, number: int) -> tuple[History, Fault | None]:
        """Return the history of the shopper of that number, from 0, and its planted fault, if any."""
        random = self._random(number)
        shopper = new_shopper(random, self.catalogue, self.start, self.end)
        origins = Origins(self._random(number, "origins"))
        events = list(events_of(random, shopper, self.end, origins))
        history = History(events, self._random(number, "fault"), self.start, self.end)
        return history, None if self.is_clean else plant(history, number, self.only)

    def _random(self, *names: object) -> Random:
        return Random("/".join(map(str, (self.seed, *names))))  # noqa: S311  # a simulation needs no secure randomness
