import uuid

from emulator.replay.events import Event, Malformed
from emulator.replay.report import ReplayReport


class TestReport:
    """The account itself."""

    def test_quantiles_are_nearest_rank(self) -> None:
        """p50 and p95 are answers that were measured, in ms."""
        report = ReplayReport(endpoint="", warehouse_checked=False)
        report.answer_seconds.extend(number / 1000 for number in range(20, 0, -1))
        assert (report.answer_ms(0.5), report.answer_ms(0.95)) == (10.0, 19.0)

    def test_reasons_and_malformed_lines_stay_bounded(self) -> None:
        """A server that words each refusal anew, or a file of rubbish, does not fill the memory."""
        report = ReplayReport(endpoint="", warehouse_checked=False)
        for number in range(100):
            report.count_refused(Event(1, uuid.uuid4(), {"eventName": "product_view"}), f"400 {number}")
            report.count_malformed(Malformed(1, number, "rubbish"))
        assert (len(report.reasons), report.reasons["other reasons"]) == (21, 80)
        assert (report.malformed, len(report.first_malformed)) == (100, 20)
