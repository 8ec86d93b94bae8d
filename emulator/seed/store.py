"""The store whose history is written: which one, of how many shoppers, over which hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from emulator.seed.clock import DAY
from emulator.seed.history import History
from emulator.seed.planted import Fault, plant
from emulator.seed.shopper import new_shopper
from emulator.seed.visits import events_of
from emulator.shoppers.catalogue import Product, read_catalogue

__all__ = ["Store"]


@dataclass(frozen=True)
class Store:
    """A history of `days` until `end` (a full hour, see `clock`, not included); clean, or with faults.

    Each shopper has generators of their own, so that a history does not depend on who is asked first, and a clean one
    is the same but for the faults. Raises CommandError if the shop's catalogue is missing.
    """

    seed: int
    days: int
    shoppers: int
    end: int
    is_clean: bool = False
    catalogue: Sequence[Product] = field(default_factory=read_catalogue, repr=False)

    @cached_property
    def start(self) -> int:
        """The first hour."""
        return self.end - self.days * DAY

    def history(self, number: int) -> tuple[History, Fault | None]:
        """The history of the shopper of that number, from 0, and the fault that is planted in it."""
        random = self._random(number)
        shopper = new_shopper(random, self.catalogue, self.start, self.end)
        events = list(events_of(random, shopper, self.end))
        history = History(events, self._random(number, "fault"), self.start, self.end)
        return history, None if self.is_clean else plant(history, number)

    def _random(self, *names: object) -> Random:
        return Random("/".join(map(str, (self.seed, *names))))  # noqa: S311  # guards nothing
