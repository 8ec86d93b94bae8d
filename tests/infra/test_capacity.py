"""The capacity model: limits by hand, their order, and the page that shows them."""

import json
import math

import pytest

from infra.costs.amounts import CONFIG, STAGES
from infra.costs.capacity import RATES, documentation, limits
from tests.support.stack_process import ROOT

PAGE = (ROOT / "docs" / "capacity.md").read_text()
RATE = {limit.name.partition(":")[0]: limit.rate for limit in limits()}


class TestLimits:
    @pytest.mark.parametrize(
        ("name", "rate"),
        [
            # A preflight for 20 events.
            ("`ThrottleRate`", 500 / 1.05),
            ("API Gateway", 10_000 / 1.05),
            # 40 ms of ingest for each event; of the projector for a batch of 1,000, with 5 ms for each further object.
            ("ingest", 100 / (1.05 * 0.04)),
            ("projector", 20 / 0.005035),
            ("Lambda", 1_000 / (1.05 * 0.04 + 0.005035)),
            ("S3 PUT", 3_500),
            ("S3 GET", 5_500),
            ("PostgreSQL rows", 88_874),
            ("PostgreSQL connections", 100 / 0.005035),
            # A listing of 1,000 objects takes 0.1 s; two hours' objects in 240 s, without the last 40 s.
            ("reconciler time", 200 / (2 * 3.6 * 0.1)),
            # 90 seconds to start, then 0.55 ms for each of 3,600 seconds' events.
            ("compaction time", (3_600 - 90) / (3_600 * 0.00055)),
            # A day's events of 4.8 kB in what 4 GB leave.
            ("compaction memory", (4 - 0.35) * 1e6 / 4.8 / 86_400),
            ("Iceberg", math.inf),
        ],
    )
    def test_the_rate_at_which_each_is_reached_by_hand(self, name: str, rate: float) -> None:
        """What the limit leaves, divided by what one event a second takes."""
        assert RATE[name] == pytest.approx(rate)

    def test_the_first_that_is_reached_comes_first(self) -> None:
        """So the first name in a row is the one to move."""
        rates = [limit.rate for limit in limits()]
        assert rates == sorted(rates)

    def test_our_own_are_those_of_the_stage(self) -> None:
        """Whoever changes a setting changes the page."""
        functions = json.loads(CONFIG.read_text())["stages"]["prod"]["lambda_functions"]
        most = {limit.name.partition(":")[0]: limit.most for limit in limits()}
        assert most["`ThrottleRate`"] == json.loads((STAGES / "prod.json").read_text())["ThrottleRate"]
        assert most["ingest"] == functions["api_handler"]["reserved_concurrency"]
        assert most["projector"] == json.loads((STAGES / "prod.json").read_text())["QueueConcurrency"]

    def test_a_limit_is_a_figure_of_somebody(self) -> None:
        """Ours, AWS's or PostgreSQL's, or measured."""
        for limit in limits():
            assert limit.origin.startswith(("our setting", "[AWS](https://", "PostgreSQL", "measured", "an hour")), (
                limit
            )


class TestDocumentation:
    def test_the_page_shows_it(self) -> None:
        """Run `python -c 'from infra.costs.capacity import documentation; print(documentation())'`, and paste it."""
        assert documentation() in PAGE

    def test_a_row_for_each_rate(self) -> None:
        """From one event a second to a hundred thousand."""
        assert RATES == (1, 10, 100, 1_000, 10_000, 100_000)
        first = documentation().partition("\n\n")[0].splitlines()[2:]
        assert [row.split("|")[1].strip() for row in first] == [f"{rate:,}" for rate in RATES]
