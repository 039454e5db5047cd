"""A plan as a drawing: one row per step, branches to the right of what decides them.

Coordinates only; the template draws them as SVG, and the table beside says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from playbooks.models import Plan, PlannedStep

ROW: Final = 46
INDENT: Final = 34
BOX: Final = 32
WIDTH: Final = 330
_MARGIN: Final = 24
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A step's box; ``number`` is that of its row in the table, ``state`` a word of ours."""

    number: int
    step: PlannedStep
    state: str
    x: int
    y: int

    @property
    def label(self) -> str:
        """Return its name, cut to what the box holds."""
        name = self.step.name
        return name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…"


@dataclass(frozen=True, slots=True)
class Edge:
    """A line to a step. ``kind`` is next, branch, failure or undo; ``label`` names a branch."""

    kind: str
    path: str
    label: str = ""
    x: int = 0
    y: int = 0


@dataclass(frozen=True, slots=True)
class Graph:
    """All of it, and how large it is."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int
    box_width: int = WIDTH
    box_height: int = BOX


def draw(plan: Plan, states: Mapping[str, str]) -> Graph:
    """Return the drawing of ``plan`` with its steps in ``states``."""
    steps = {step.path: step for step in plan.steps}
    depths = _depths(plan, steps)
    nodes = {
        path: Node(
            number,
            steps[path],
            states.get(path, ""),
            _MARGIN + depth * INDENT,
            _MARGIN + (number - 1) * ROW,
        )
        for number, (path, depth) in enumerate(depths.items(), 1)
    }
    edges = tuple(edge for node in nodes.values() for edge in _edges(node, nodes))
    deepest = max((node.x for node in nodes.values()), default=0)
    return Graph(
        tuple(nodes.values()), edges, deepest + WIDTH + _MARGIN, len(nodes) * ROW + 2 * _MARGIN
    )


def _depths(plan: Plan, steps: Mapping[str, PlannedStep]) -> dict[str, int]:
    """Return each step's depth, in the order of rows: a step, its branches, what follows."""
    found: dict[str, int] = {}
    waiting = [(plan.first, 0)]
    while waiting:
        path, depth = waiting.pop()
        if path not in steps or path in found:
            continue
        step = steps[path]
        found[path] = depth
        # the last one is looked at first: way back, branches, failure, what follows
        waiting.append((step.on_success, depth))
        waiting.append((step.on_failure, depth + 1))
        waiting += [(head, depth + 1) for _, head in sorted(step.branches.items(), reverse=True)]
        waiting.append((step.compensate, depth + 1))
    return found


def _edges(node: Node, nodes: Mapping[str, Node]) -> Iterator[Edge]:
    step = node.step
    if step.compensate in nodes:
        yield _elbow("undo", node, nodes[step.compensate])
    for choice, head in sorted(step.branches.items()):
        if head in nodes:
            yield _elbow("branch", node, nodes[head], "" if step.kind == "parallel" else choice)
    if step.on_failure in nodes:
        yield _elbow("failure", node, nodes[step.on_failure])
    if step.on_success in nodes:
        yield _down(node, nodes[step.on_success])


def _elbow(kind: str, start: Node, end: Node, label: str = "") -> Edge:
    x, middle = start.x + 8, end.y + BOX // 2
    path = f"M{x} {start.y + BOX}V{middle}H{end.x}"
    return Edge(kind, path, label, end.x + 12, end.y - 3)


def _down(start: Node, end: Node) -> Edge:
    """Return the line to what follows; it goes by on the left where branches lie between."""
    if end.y - start.y == ROW and start.x == end.x:
        x = start.x + 20
        return Edge("next", f"M{x} {start.y + BOX}V{end.y}")
    x = min(start.x, end.x) - 10
    top, bottom = start.y + BOX // 2, end.y + BOX // 2
    return Edge("next", f"M{start.x} {top}H{x}V{bottom}H{end.x}")
