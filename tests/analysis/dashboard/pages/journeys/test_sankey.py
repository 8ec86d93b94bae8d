from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from analysis.dashboard.pages.journeys.sankey import Flow, Node, layout

NAMES = st.sampled_from([*"abcdefgh", "end"])
FLOWS = st.dictionaries(st.tuples(st.integers(0, 3), NAMES, NAMES), st.integers(1, 10_000), max_size=40).map(
    lambda found: [Flow(*ends, size) for ends, size in found.items()]
)
HEIGHT, GAP = 400.0, 12.0


def is_near(first: float, second: float) -> bool:
    return abs(first - second) < 1e-6


class TestLayout:
    def test_a_small_diagram(self) -> None:
        """The column with the least room for one unit decides how thick it is."""
        flows = [Flow(0, "a", "b", 30), Flow(0, "a", "end", 50), Flow(0, "c", "b", 10), Flow(1, "b", "d", 40)]
        nodes, ribbons = layout(flows, 100, 10, lambda name: int(name == "end"))
        assert nodes == [
            Node(0, "a", 80, 0, 80),
            Node(0, "c", 10, 90, 100),
            Node(1, "b", 40, 0, 40),
            Node(1, "end", 50, 50, 100),
            Node(2, "d", 40, 0, 40),
        ]
        assert [(ribbon.source, ribbon.target) for ribbon in ribbons] == [
            ((0, 30), (0, 30)),
            ((30, 80), (50, 100)),
            ((90, 100), (30, 40)),
            ((0, 40), (0, 40)),
        ]

    def test_without_flows_there_is_nothing(self) -> None:
        """And no error."""
        assert layout([], HEIGHT, GAP) == ([], [])

    @given(FLOWS)
    def test_nodes_are_in_the_picture_and_do_not_overlap(self, flows: list[Flow]) -> None:
        """Between two nodes of a column there is a gap; the highest column is as high as the picture."""
        nodes, _ = layout(flows, HEIGHT, GAP)
        by_column = defaultdict(list)
        for node in nodes:
            by_column[node.column].append(node)
        for column in by_column.values():
            assert column[0].top == 0
            assert all(is_near(after.top - before.bottom, GAP) for before, after in pairwise(column))
        assert not nodes or is_near(max(node.bottom for node in nodes), HEIGHT)

    @given(FLOWS)
    def test_everything_is_as_thick_as_what_flows(self, flows: list[Flow]) -> None:
        """A node by the larger of what flows in and out; a ribbon at both of its ends."""
        nodes, ribbons = layout(flows, HEIGHT, GAP)
        units = [(node.bottom - node.top) / node.size for node in nodes]
        units += [(bottom - top) / each.flow.size for each in ribbons for top, bottom in (each.source, each.target)]
        assert all(is_near(unit / units[0], 1) for unit in units)
        for node in nodes:
            into = sum(flow.size for flow in flows if (flow.column + 1, flow.target) == (node.column, node.name))
            out = sum(flow.size for flow in flows if (flow.column, flow.source) == (node.column, node.name))
            assert node.size == max(into, out)

    @given(FLOWS)
    def test_ribbons_fill_the_sides_of_nodes_without_overlap(self, flows: list[Flow]) -> None:
        """From the top, one below the other, in the order of the nodes at their other ends."""
        nodes, ribbons = layout(flows, HEIGHT, GAP)
        tops = {(node.column, node.name): node.top for node in nodes}
        sides = defaultdict(list)
        for each in ribbons:
            source, target = (each.flow.column, each.flow.source), (each.flow.column + 1, each.flow.target)
            sides[source, "out"].append((*each.source, tops[target]))
            sides[target, "in"].append((*each.target, tops[source]))
        for (node, _), bands in sides.items():
            bands.sort()
            assert is_near(bands[0][0], tops[node])
            assert all(is_near(before[1], after[0]) for before, after in pairwise(bands))
            assert [other for *_, other in bands] == sorted(other for *_, other in bands)

    @given(FLOWS)
    def test_larger_nodes_are_above_and_the_last_ones_below(self, flows: list[Flow]) -> None:
        """In each column."""
        nodes, _ = layout(flows, HEIGHT, GAP, lambda name: int(name == "end"))
        places = [(node.column, node.name == "end", -node.size, node.name) for node in nodes]
        assert places == sorted(places)

    @given(st.integers(2, 200))
    def test_many_nodes_have_smaller_gaps(self, count: int) -> None:
        """So half of the height is left for the nodes."""
        nodes, _ = layout([Flow(0, str(number), "end", 1) for number in range(count)], HEIGHT, GAP)
        first = [node for node in nodes if node.column == 0]
        assert sum(node.bottom - node.top for node in first) >= HEIGHT / 2 - 1e-6
        assert first[-1].bottom <= HEIGHT + 1e-6
