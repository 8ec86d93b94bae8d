"""The layout of a Sankey diagram: nodes in columns, and ribbons between them, all as thick as what flows."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Flow", "Node", "Ribbon", "layout"]


@dataclass(frozen=True)
class Flow:
    """What flows from a node of a column to a node of the next column.

    Attributes:
        column: The column of `source`, from 0.
        source: The name of a node, unique in its column.
        target: The name of a node of the next column.
        size: How much flows; positive.
    """

    column: int
    source: str
    target: str
    size: int


@dataclass(frozen=True)
class Node:
    """A node: a rectangle from `top` to `bottom`, which grow downwards."""

    column: int
    name: str
    size: int
    top: float
    bottom: float


@dataclass(frozen=True)
class Ribbon:
    """A flow: a band between two nodes; its top and bottom at the right side of its source, and where it arrives."""

    flow: Flow
    source: tuple[float, float]
    target: tuple[float, float]


def layout(
    flows: Sequence[Flow], height: float, gap: float, last: Callable[[str], int] = lambda _: 0
) -> tuple[list[Node], list[Ribbon]]:
    """Place nodes and ribbons.

    In each column the larger node is above, and nodes have a gap between them. One unit of size is equally thick
    everywhere. A node is as thick as all that flows in, or out, whichever is more.

    Args:
        flows: At most one for each pair of nodes.
        height: The height of the highest column, with its gaps.
        gap: The height between two nodes of a column; smaller if the gaps would need more than half of the height.
        last: Nodes with a larger number are below the others, whatever their size.

    Returns:
        The nodes, by column and from the top; and the ribbons, in the order of the flows.
    """
    sizes = _sizes(flows)
    columns: dict[int, list[str]] = defaultdict(list)
    for column, name in sorted(sizes, key=lambda node: (node[0], last(node[1]), -sizes[node], node[1])):
        columns[column].append(name)
    most = max((len(names) for names in columns.values()), default=1)
    space = min(gap, height / 2 / max(most - 1, 1))
    unit = min((_unit(names, column, sizes, height, space) for column, names in columns.items()), default=0.0)
    nodes = {}
    for column, names in columns.items():
        top = 0.0
        for name in names:
            bottom = top + sizes[column, name] * unit
            nodes[column, name] = Node(column, name, sizes[column, name], top, bottom)
            top = bottom + space
    return list(nodes.values()), _ribbons(flows, nodes, unit)


def _sizes(flows: Iterable[Flow]) -> dict[tuple[int, str], int]:
    """Give the size of each node."""
    out: dict[tuple[int, str], int] = defaultdict(int)
    into: dict[tuple[int, str], int] = defaultdict(int)
    for flow in flows:
        out[flow.column, flow.source] += flow.size
        into[flow.column + 1, flow.target] += flow.size
    return {node: max(out.get(node, 0), into.get(node, 0)) for node in {**out, **into}}


def _unit(names: Sequence[str], column: int, sizes: dict[tuple[int, str], int], height: float, space: float) -> float:
    """Give the thickness of one unit with which a column would be as high as there is room."""
    return (height - space * (len(names) - 1)) / sum(sizes[column, name] for name in names)


def _ribbons(flows: Sequence[Flow], nodes: dict[tuple[int, str], Node], unit: float) -> list[Ribbon]:
    """Stack the ribbons at each side of a node in the order of the nodes at their other ends, so they cross less."""

    def source(flow: Flow) -> Node:
        return nodes[flow.column, flow.source]

    def target(flow: Flow) -> Node:
        return nodes[flow.column + 1, flow.target]

    leaving = _stacked(flows, source, target, unit)
    arriving = _stacked(flows, target, source, unit)
    return [Ribbon(flow, leaving[flow], arriving[flow]) for flow in flows]


def _stacked(
    flows: Iterable[Flow], of: Callable[[Flow], Node], other: Callable[[Flow], Node], unit: float
) -> dict[Flow, tuple[float, float]]:
    """Give top and bottom of each flow at one of its nodes."""
    found: dict[Flow, tuple[float, float]] = {}
    filled: dict[Node, float] = {}
    for flow in sorted(flows, key=lambda flow: other(flow).top):
        node = of(flow)
        top = filled.get(node, node.top)
        filled[node] = top + flow.size * unit
        found[flow] = top, filled[node]
    return found
