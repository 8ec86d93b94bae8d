import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.costs import MEASURED, PRICES, costs, main
from tests.stack_process import ROOT

SMALL = {"ingest_gb": 0.5, "projector_gb": 0.5, "has_vpc": 0.0, "acus": 0.0}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


class TestCosts:
    def test_a_month_by_hand(self) -> None:
        """A million events, no preflights, half a gigabyte for 100 ms: as the price lists say."""
        month = costs(10**6, SMALL, PRICES, MEASURED | {"preflights": 0, "ingest_ms": 100, "projector_ms": 100})
        assert month["HTTP API"] == pytest.approx(1.00)
        assert month["Lambda, requests"] == pytest.approx(0.40)
        assert month["Lambda, time"] == pytest.approx(100_000 * 0.0000166667)
        assert month["S3, PUT and GET"] == pytest.approx(5.40)
        assert month["alarms, metrics, dashboard"] == pytest.approx(0.80 + 0.90 + 3.00)
        assert month["secret and its endpoint"] == 0
        assert month["Aurora, least capacity"] == 0

    def test_what_is_there_without_events(self) -> None:
        """Half an ACU, a secret, an endpoint in two zones, and what watches."""
        month = costs(0, SMALL | {"has_vpc": 1.0, "acus": 0.5}, PRICES, MEASURED)
        assert {name: round(amount, 2) for name, amount in month.items() if amount} == {
            "alarms, metrics, dashboard": 4.70,
            "secret and its endpoint": 15.00,
            "Aurora, least capacity": 43.80,
        }

    def test_traces_follow_lambdas_rule(self) -> None:
        """Of few requests all are traced; of many, one per second and a twentieth of the rest."""
        amounts = MEASURED | {"preflights": 0}
        assert costs(10**6, SMALL, PRICES, amounts)["X-Ray"] == pytest.approx(10.00)
        per_function = 2_628_000 + 0.05 * (10**8 - 2_628_000)
        assert costs(10**8, SMALL, PRICES, amounts)["X-Ray"] == pytest.approx(2 * per_function * 5e-6)

    def test_every_alarm_and_metric_counts(self) -> None:
        """As many as monitoring.yaml makes."""
        text = (ROOT / "infra" / "monitoring.yaml").read_text()
        counted = 0.10 * text.count("AWS::CloudWatch::Alarm") + 0.30 * text.count("AWS::Logs::MetricFilter")
        month = costs(0, SMALL, PRICES, MEASURED)
        assert month["alarms, metrics, dashboard"] == pytest.approx(counted + 3.00)


class TestCommand:
    def test_the_page_shows_what_the_command_prints(self) -> None:
        """Word for word."""
        assert run().output.rstrip("\n") in (ROOT / "docs" / "costs.md").read_text()

    def test_other_prices_and_amounts_count(self, tmp_path: Path) -> None:
        """Those that are named, in either file; the rest stay."""
        prices, amounts = tmp_path / "prices.json", tmp_path / "amounts.json"
        prices.write_text('{"s3_put": 1e-5}')
        amounts.write_text('{"preflights": 0}')
        done = run("--stage", "dev", "--json", "--prices", prices, "--measured", amounts)
        month = json.loads(done.output)["1000000"]
        assert (month["S3, PUT and GET"], month["HTTP API"]) == (pytest.approx(10.40), pytest.approx(1.00))

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('{"s3_putt": 1}', "s3_putt is unknown, or below 0; there are: http_api_request"),
            ('{"s3_put": -1}', "s3_put is unknown, or below 0"),
            ('{"s3_put": "cheap"}', "is not a JSON object of numbers"),
            ("[1]", "is not a JSON object of numbers"),
            ("nonsense", "is not a JSON object of numbers"),
        ],
    )
    def test_what_is_wrong_with_a_file_is_said(self, text: str, problem: str, tmp_path: Path) -> None:
        """With its name, and exit code 2."""
        prices = tmp_path / "prices.json"
        prices.write_text(text)
        done = run("--prices", prices)
        assert done.exit_code == 2
        assert problem in done.stderr
        assert "prices.json" in done.stderr

    def test_a_stage_that_is_not_there_is_said(self) -> None:
        """With where to look."""
        done = run("--stage", "nowhere")
        assert (done.exit_code, "there is no stage nowhere: see infra/stages" in done.stderr) == (2, True)
