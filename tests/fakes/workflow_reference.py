"""Random workflows as trees, the CACAO document of one, and what running it must come to.

The reference is a recursive interpreter over the tree, with nothing in common with the
product's replay but the meaning of CACAO 2.0 §4.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.fakes.cacao import AGENT, START, playbook

TURNS = 100
Seq = tuple["Node", ...]


@dataclass(frozen=True)
class Node:
    """``kind`` act, parallel, if, while or switch; ``bodies`` its branches."""

    kind: str
    bodies: tuple[Seq, ...] = ()
    limit: int = 0
    on_failure: Seq | None = None


def sequences(depth: int = 2) -> st.SearchStrategy[Seq]:
    """Return sequences of nodes nested up to ``depth``."""
    act = st.builds(Node, st.just("act"))
    if depth == 0:
        return st.lists(act, min_size=1, max_size=2).map(tuple)
    inner = sequences(depth - 1)
    limit = st.integers(0, 4)
    spare = st.none() | inner
    node = st.one_of(
        st.builds(Node, st.just("act"), on_failure=spare),
        st.builds(Node, st.just("parallel"), st.tuples(inner, inner), on_failure=spare),
        st.builds(Node, st.just("if"), st.tuples(inner, inner), limit, spare),
        st.builds(Node, st.just("while"), st.tuples(inner), limit, spare),
        st.builds(Node, st.just("switch"), st.tuples(inner, inner), limit, spare),
    )
    return st.lists(node, min_size=1, max_size=3).map(tuple)


@dataclass
class World:
    """What each action does: decided by its id and how often it was done, nothing else."""

    seed: int
    counts: dict[str, int] = field(default_factory=dict)

    def act(self, name: str) -> tuple[str, str]:
        """Return the outcome and the new value of ``__x__``."""
        count = self.counts[name] = self.counts.get(name, 0) + 1
        digest = hashlib.sha256(f"{self.seed}/{name}/{count}".encode()).digest()
        return ("failed" if digest[0] < 40 else "done"), str(digest[1] % 6)


class Document:
    """Emits a tree as CACAO steps and remembers which node became which step."""

    def __init__(self, tree: Seq) -> None:
        self.names: dict[tuple[int, ...], str] = {}
        self.steps: dict[str, Any] = {}
        self._count = 0
        self.document = playbook()
        del self.document["workflow_exception"]
        self.document["playbook_variables"] = {"__x__": {"type": "string", "value": "0"}}
        head = self._emit(tree, ())
        self.steps[START] = {"type": "start", "on_completion": head}
        self.document["workflow"] = self.steps

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}--{self._count:08x}-0000-4000-8000-000000000000"

    def _emit(self, seq: Seq, place: tuple[int, ...]) -> str:
        after = self._name("end")
        self.steps[after] = {"type": "end"}
        for number, node in reversed(list(enumerate(seq))):
            here = (*place, number)
            kinds = {"act": "action", "parallel": "parallel"}
            name = self._name(kinds.get(node.kind, f"{node.kind}-condition"))
            self.names[here] = name
            self.steps[name] = self._step(node, here)
            if node.on_failure is None:
                self.steps[name]["on_completion"] = after
            else:
                self.steps[name]["on_success"] = after
                self.steps[name]["on_failure"] = self._emit(node.on_failure, (*here, -1))
            after = name
        return after

    def _step(self, node: Node, here: tuple[int, ...]) -> dict[str, Any]:
        heads = [self._emit(body, (*here, n)) for n, body in enumerate(node.bodies)]
        if node.kind == "act":
            return {
                "type": "action",
                "commands": [{"type": "manual", "command": "do"}],
                "agent": AGENT,
                "out_args": ["__x__"],
            }
        if node.kind == "parallel":
            return {"type": "parallel", "next_steps": heads}
        if node.kind == "switch":
            cases = {str(node.limit): heads[0], "default": heads[1]}
            return {"type": "switch-condition", "switch": "__x__:value", "cases": cases}
        condition = f"__x__:value < {node.limit}"
        branches = dict(zip(("on_true", "on_false"), heads, strict=False))
        return {"type": f"{node.kind}-condition", "condition": condition, **branches}


class Reference:
    """Runs a tree: ``log`` are the actions in order."""

    def __init__(self, document: Document, world: World) -> None:
        self._document = document
        self._world = world
        self.value = "0"
        self.log: list[tuple[str, str]] = []

    def run(self, seq: Seq, place: tuple[int, ...] = ()) -> str:
        for number, node in enumerate(seq):
            here = (*place, number)
            if self._one(node, here) == "failed":
                if node.on_failure is None:
                    return "failed"
                return self.run(node.on_failure, (*here, -1))
        return "done"

    def _one(self, node: Node, here: tuple[int, ...]) -> str:
        if node.kind == "act":
            return self._act(self._document.names[here])
        if node.kind == "parallel":
            ended = (self.run(body, (*here, n)) for n, body in enumerate(node.bodies))
            return "failed" if "failed" in ended else "done"  # what follows a failure never ran
        if node.kind == "while":
            return self._loop(node, here)
        if node.kind == "if":
            number = 0 if int(self.value) < node.limit else 1
        else:
            number = 0 if self.value == str(node.limit) else 1
        return self.run(node.bodies[number], (*here, number))

    def _act(self, name: str) -> str:
        outcome, value = self._world.act(name)
        self.value = value if outcome == "done" else self.value
        self.log.append((name, outcome))
        return outcome

    def _loop(self, node: Node, here: tuple[int, ...]) -> str:
        for _ in range(TURNS):
            if int(self.value) >= node.limit:
                return "done"
            if self.run(node.bodies[0], (*here, 0)) == "failed":
                return "failed"
        return "failed"
