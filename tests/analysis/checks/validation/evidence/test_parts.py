import polars as pl

from analysis.checks.validation.evidence.parts import Parts, together

FIRST = pl.DataFrame({"key": ["k1", "k2", "k3"], "name": ["a", "b", None], "size": [1, 2, 3]})
SECOND = pl.DataFrame({"key": ["k4", "k5"], "name": [None, "a"], "size": [4, 5]})
PARTS = Parts.of(FIRST, SECOND, most=1)


class TestParts:
    def test_frames(self) -> None:
        """They come one after the other, with the columns that are asked for."""
        assert [frame.rows() for frame in PARTS.frames("size")] == [[(1,), (2,), (3,)], [(4,), (5,)]]

    def test_groups_hold_each_value_as_a_whole(self) -> None:
        """Null is a value, too; the order of the parts is kept, and no row is lost."""
        groups = [group.rows() for group in PARTS.groups("name", "name", "size")]
        assert len(groups) == PARTS.rows
        for name, sizes in (("a", [1, 5]), ("b", [2]), (None, [3, 4])):
            found = [[size for its, size in group if its == name] for group in groups]
            assert [each for each in found if each] == [sizes]

    def test_selections(self) -> None:
        """They apply to every part."""
        few = PARTS.where(pl.col("size") > 1).without(pl.Series("key", ["k3", "k5"], pl.String))
        assert few.with_columns(half=pl.col("size") / 2).select("key", "half").collect().rows() == [
            ("k2", 1.0),
            ("k4", 2.0),
        ]
        assert PARTS.without(pl.Series("key", [], pl.String)) is PARTS

    def test_several_together(self) -> None:
        """All rows of a value, of each of them, come at once."""
        other = Parts.of(pl.DataFrame({"name": ["a", "b", "c"]}))
        for ours, theirs in together("name", PARTS, other):
            assert set(theirs["name"]) - {"c"} == set(ours["name"].drop_nulls())
