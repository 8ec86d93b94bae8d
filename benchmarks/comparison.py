"""Two ways to do the same thing, timed in turns, so that the machine's noise hits both alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

__all__ = ["Comparison", "Timer", "seconds", "take_turns"]

# Does its work once, and gives the seconds that one unit of it took.
Timer = Callable[[], float]


@dataclass(frozen=True)
class Comparison:
    """One benchmark's result: per round, the seconds of ours and those of the named alternative."""

    name: str
    title: str
    ours: str
    alternative: str
    target: float
    rounds: tuple[tuple[float, float], ...]

    @property
    def ours_seconds(self) -> float:
        """Median of ours."""
        return median(ours for ours, _ in self.rounds)

    @property
    def alternative_seconds(self) -> float:
        """Median of the alternative."""
        return median(alternative for _, alternative in self.rounds)

    @property
    def ratio(self) -> float:
        """Median of the rounds' own ratios: both sides of one round had the same machine."""
        return median(self._ratios)

    @property
    def middle_half(self) -> tuple[float, float]:
        """First and third quartile of the rounds' ratios: how far the machine let them scatter."""
        first, _, third = quantiles(self._ratios, n=4, method="inclusive") if len(self.rounds) > 1 else [self.ratio] * 3
        return first, third

    @property
    def is_met(self) -> bool:
        """Whether the ratio is at most the target."""
        return self.ratio <= self.target

    @property
    def _ratios(self) -> list[float]:
        return [ours / alternative for ours, alternative in self.rounds]


def take_turns(rounds: Iterable[object], ours: Timer, alternative: Timer) -> tuple[tuple[float, float], ...]:
    """Time both once per item of `rounds`; who goes first alternates, since the second may find warmer caches."""
    pairs = []
    for number, _ in enumerate(rounds):
        if number % 2:
            after = alternative()
            pairs.append((ours(), after))
        else:
            pairs.append((ours(), alternative()))
    return tuple(pairs)


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds that one call takes."""
    started = perf_counter()
    work()
    return perf_counter() - started
