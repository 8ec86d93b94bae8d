import polars as pl

from analysis.checks.validation.sequences import sequence_checks
from tests.support.raw_objects import Objects


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(sequence_checks(objects.events), name)


class TestSequenceChecks:
    def test_lost_events(self) -> None:
        """Gaps of each tab, in any order of receipt; a tab may have begun before the span."""
        objects = Objects()
        for seq in (7, 12, 8, 9):
            objects.add(seq=seq)
        for seq in (1, 3):
            objects.add(seq=seq, tabId="other")
        objects.add(seq=5, clientId="another")
        assert found(objects, "lost_events") == [
            {"client_id": "c", "tab_id": "other", "first": 2, "last": 2},
            {"client_id": "c", "tab_id": "t", "first": 10, "last": 11},
        ]
        (check, *_) = sequence_checks(objects.events)
        assert check.observed == "3 events never arrived (30.0000%)"

    def test_counted_drops(self) -> None:
        """By how much a client's counts grew, of all kinds together."""
        objects = Objects()
        for overflow, refused, withheld in ((1, 0, 0), (1, 2, 0), (4, 2, 0), (4, 2, 3)):
            objects.add(dropped={"overflow": overflow, "refused": refused, "withheld": withheld})
        objects.add(dropped={"overflow": 9, "refused": 9}, clientId="before")
        objects.add(dropped=None, clientId="none")
        assert found(objects, "counted_drops") == [{"client_id": "c", "grew_by": 8}]

    def test_repeated_seqs(self) -> None:
        """The same number for two event ids; an event sent twice is one."""
        objects = Objects()
        objects.add(seq=1)
        objects.add(seq=2, eventId="a")
        objects.add(seq=2, eventId="b")
        objects.add(seq=3, eventId="c")
        objects.add(seq=3, eventId="c")
        (repeated,) = found(objects, "repeated_seqs")
        assert repeated["seq"] == 2
        assert len(set(repeated["event_ids"])) == 2  # type: ignore[call-overload]

    def test_events_without_numbers(self) -> None:
        """Of other publishers, such as an imported log."""
        objects = Objects()
        objects.add(seq=None)
        objects.add(seq="x")
        objects.add(tabId=None)
        assert found(objects, "lost_events") == []

    def test_numbers_that_came_before_or_after(self) -> None:
        """They are not lost; and no gap begins or ends beyond the numbers that are judged."""
        objects = Objects()
        for seq in (3, 5, 7, 9, 11):
            objects.add(seq=seq)
        events = objects.events
        judged, others = events.where(pl.col("seq").is_in([5, 9])), events.where(pl.col("seq").is_in([3, 7, 11]))
        (check, *_) = sequence_checks(judged, others)
        assert [(finding["first"], finding["last"]) for finding in check.findings] == [(6, 6), (8, 8)]

    def test_an_event_whose_object_was_deleted(self) -> None:
        """It did arrive, for it has a row: of the same client, received between its neighbours."""
        objects = Objects()
        for seq in (1, 2, 3, 5, 6, 9):
            objects.add(seq=seq)
        events = objects.events
        deleted = events.where(pl.col("seq") == 2).collect()
        rest = events.where(pl.col("seq") != 2)
        (check, *_) = sequence_checks(rest, orphans=deleted)
        assert [(finding["first"], finding["last"]) for finding in check.findings] == [(4, 4), (7, 8)]
        (check, *_) = sequence_checks(rest, orphans=deleted.with_columns(client_id=pl.lit("another")))
        assert check.observed.startswith("4 events never arrived")
