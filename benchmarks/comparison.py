"""Times two ways to do the same thing in turns, so that the machine's noise affects both alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

__all__ = ["Comparison", "Timer", "seconds", "take_turns"]

# Does its work once, and returns the seconds per unit of work.
Timer = Callable[[], float]


@dataclass(frozen=True)
class Comparison:
    """The result of one benchmark.

    Attributes:
        name: Name of the benchmark.
        title: Title of its table.
        ours: Name of our code.
        alternative: Name of the alternative.
        target: The largest ratio that meets the target.
        rounds: Seconds of our code and of the alternative, per round.
    """

    name: str
    title: str
    ours: str
    alternative: str
    target: float
    rounds: tuple[tuple[float, float], ...]

    @property
    def ours_seconds(self) -> float:
        """Median time of our code."""
        return median(ours for ours, _ in self.rounds)

    @property
    def alternative_seconds(self) -> float:
        """Median time of the alternative."""
        return median(alternative for _, alternative in self.rounds)

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios, since both sides of one round had the same conditions."""
        return median(self._ratios)

    @property
    def middle_half(self) -> tuple[float, float]:
        """First and third quartile of the rounds' ratios, which show their spread."""
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
    """Time both once per item of `rounds`; alternate which goes first, since the second may find warmer caches."""
    pairs = []
    for number, _ in enumerate(rounds):
        if number % 2:
            after = alternative()
            pairs.append((ours(), after))
        else:
            pairs.append((ours(), alternative()))
    return tuple(pairs)


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    started = perf_counter()
    work()
    return perf_counter() - started
