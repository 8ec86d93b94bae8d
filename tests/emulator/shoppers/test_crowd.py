from itertools import pairwise

import pytest

from command_line.errors import CommandError
from emulator.shoppers.browser import Session
from emulator.shoppers.catalogue import read_catalogue
from emulator.shoppers.crowd import Crowd
from emulator.shoppers.visit import Step

CATALOGUE = read_catalogue()


def crowd(sessions: int = 40, rate: float = 10, seed: int = 7) -> Crowd:
    return Crowd(CATALOGUE, "http://shop.test", sessions, rate, seed)


def steps(of: Crowd) -> list[tuple[Session, Step]]:
    return [(session, step) for _, session, step in of]


class TestCrowd:
    """Who clicks next, and when."""

    @pytest.mark.parametrize("rate", [0.5, 10, 1000])
    def test_events_are_evenly_spaced_with_jitter(self, rate: float) -> None:
        """The event number n happens within one gap of n / rate; the first one does at once; they keep their order."""
        times = [seconds for seconds, _, _ in crowd(rate=rate)]
        assert times[0] == 0
        assert all(number - 1 <= seconds * rate <= number + 1e-6 for number, seconds in enumerate(times))
        assert all(one <= other for one, other in pairwise(times))
        assert len({round((other - one) * rate, 3) for one, other in pairwise(times)}) > 10

    @pytest.mark.parametrize(("rate", "at_a_time"), [(0.1, {1}), (10, {10}), (1000, set(range(30, 41)))])
    def test_some_shoppers_are_on_the_site_at_a_time(self, rate: float, at_a_time: set[int]) -> None:
        """The more events, the more shoppers they come from, but never more than there are visits."""
        shoppers = crowd(rate=rate)
        most = 0
        for _ in shoppers:
            most = max(most, shoppers.begun - shoppers.finished)
        assert most in at_a_time
        assert (shoppers.begun, shoppers.finished) == (40, 40)

    @pytest.mark.parametrize(("sessions", "rate"), [(0, 1), (100_001, 1), (1, 0), (1, 1001), (1, float("nan"))])
    def test_numbers_out_of_range_are_said(self, sessions: int, rate: float) -> None:
        """A run that would never end, or never begin, is no run."""
        with pytest.raises(CommandError, match=r"^sessions must be 1 to 100,000, and the rate 0\.1 to 1,000 "):
            crowd(sessions, rate)

    def test_visits_are_interleaved(self) -> None:
        """Shoppers do not queue for each other."""
        sessions = [session.session_id for session, _ in steps(crowd())]
        assert sum(one != other for one, other in pairwise(sessions)) > len(sessions) / 2

    def test_same_seed_is_same_visits_of_other_clients(self) -> None:
        """All steps are the same, in the same order; the ids are not."""
        (first, second) = (steps(crowd(seed=5)) for _ in range(2))
        assert [step for _, step in first] == [step for _, step in second]
        for name in ("clientId", "sessionId", "eventId", "tabId"):
            ids = [{session.event(step)[name] for session, step in run} for run in (first, second)]
            assert not ids[0] & ids[1]

    def test_rate_changes_no_visit(self) -> None:
        """What a shopper does depends on the seed and the visit's number alone."""

        def visits(of: Crowd) -> list[list[str]]:
            by_session: dict[str, list[str]] = {}
            for session, step in steps(of):
                by_session.setdefault(session.session_id, []).append(step.name)
            return sorted(by_session.values())

        assert visits(crowd(rate=1)) == visits(crowd(rate=1000))

    def test_other_seed_is_other_visits(self) -> None:
        """The seed decides."""
        assert [step for _, step in steps(crowd(seed=1))] != [step for _, step in steps(crowd(seed=2))]

    def test_some_clients_return(self) -> None:
        """Their later visits are no first ones, and never overlap with an earlier one."""
        visits: dict[str, list[Session]] = {}
        for session, _ in steps(crowd(sessions=60)):
            of_client = visits.setdefault(session.browser.client_id, [])
            if session not in of_client[-1:]:
                of_client.append(session)
        assert max(map(len, visits.values())) > 1
        assert sum(map(len, visits.values())) == 60
        assert all(
            [visit.is_first_visit for visit in each] == [True] + [False] * (len(each) - 1) for each in visits.values()
        )
