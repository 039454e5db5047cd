"""From hits of correlations to changes of episodes: reads what is stored, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.correlation.chains import episode_hit, episode_id
from detectors.core.correlation.episodes import settled
from detectors.core.correlation.grouping import COUNTED, Grouper, Hit
from detectors.core.correlation.model import Correlation
from detectors.core.correlation.progress import after_arrival, after_settling, is_late, reopened
from detectors.core.correlation.reconcile import Change, reconcile
from detectors.core.detection import Detector
from detectors.models.alerts import Alert
from detectors.models.correlation import (
    Episode,
    Group,
    Known,
    Match,
    Notes,
)
from detectors.ports import AlertStore, CorrelationStore
from detectors.service.correlation.correlation_nodes import (
    AlertBook,
    GroupChange,
    InnerBook,
    Node,
    node_key,
)
from detectors.service.correlation.new_values import FOREVER, new_values
from detectors.service.correlation.rising import risen
from secops.kernel.transactions import Transaction

MAX_DUE: Final = 2_000
"""Groups of one correlation that one step judges; the others stay due."""


@dataclass(slots=True)
class Outcome:
    """What a step changes for one detector: its alerts, and what correlations keep.

    ``more`` says that groups are still due which this step left to the next one.
    """

    changes: list[GroupChange] = field(default_factory=list)
    notes: list[Notes] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    more: bool = False


@dataclass(frozen=True, slots=True)
class Correlator:
    """Judges one detector's correlations, inner ones first."""

    alerts: AlertStore
    store: CorrelationStore

    def judge(
        self,
        tx: Transaction,
        detector: Detector,
        hits: Sequence[Hit],
        watermark: int | None = None,
    ) -> Outcome:
        """Return what ``hits`` change, and what is over when all before ``watermark`` is known."""
        outcome = Outcome()
        come, gone = list(hits), list[Hit]()
        for correlation in detector.chain:
            node = self._node(detector, correlation, outcome)
            grouper = Grouper(correlation)
            for hit in gone:
                node.arrive((), grouper.matches_of(hit)[0])
            for hit in come:
                matches, uncounted = grouper.matches_of(hit)
                node.arrive(matches, ())
                if uncounted is not COUNTED:
                    node.notes.uncounted += uncounted
            changes = list(_changes(tx, node, watermark))
            outcome.more = outcome.more or node.more
            if correlation is detector.correlation:
                outcome.changes = changes
                continue
            for group, change in changes:
                more, less = _inner_change(node, group, change)
                come, gone = come + more, gone + less
        return outcome

    def _node(self, detector: Detector, correlation: Correlation, outcome: Outcome) -> Node:
        notes = Notes(node_key(detector, correlation))
        outcome.notes.append(notes)
        if correlation is detector.correlation:
            book = AlertBook(self.alerts, detector, outcome.alerts)
            return Node(correlation, self.store, notes, book)
        return Node(correlation, self.store, notes, InnerBook(self.store, notes.key))


def _changes(tx: Transaction, node: Node, watermark: int | None) -> Iterator[GroupChange]:
    if node.correlation.type == "first_seen":
        yield from new_values(tx, node)
    elif node.correlation.rising:
        yield from risen(tx, node)
    else:
        _opened(tx, node)
        if watermark is not None:
            yield from _settled(tx, node, watermark)


def _opened(tx: Transaction, node: Node) -> None:
    """Note from where on groups must be judged when their windows are over."""
    touched = node.touched()
    node.load_states(tx, touched)
    gone = {(match.group, match.place) for match in node.notes.removed}
    for group, matches in touched.items():
        state = node.states.get(group)
        at = min(match.at for match in matches)
        late = [match for match in matches if is_late(state, match.at)]
        node.notes.late += sum((group, match.place) not in gone for match in late)
        if state is not None and late:
            before = node.before(tx, group, at)
            node.put(reopened(node.correlation, state, at, before))
        else:
            node.put(after_arrival(node.correlation, group, state, at))


def _settled(tx: Transaction, node: Node, watermark: int) -> Iterator[GroupChange]:
    """Judge the windows that are over."""
    _expect(tx, node, watermark)
    due = {state.group: state for state in node.store.due(tx, node.key, watermark, MAX_DUE)}
    node.more = len(due) == MAX_DUE
    due.update(node.states)
    for group, state in due.items():
        if state.due_at is None or state.due_at >= watermark:
            continue
        matches = node.matches(tx, group, (state.begins_at, FOREVER))
        result = settled(node.correlation, matches, watermark)
        after = after_settling(node.correlation, state, matches, result.open_from)
        known = node.book.known(tx, group, (state.begins_at, after.settled_to))
        node.put(after)
        for change in reconcile(result.episodes, known, node.name):
            yield group, change


def _expect(tx: Transaction, node: Node, watermark: int) -> None:
    """Let configured groups begin at the first watermark: a match that stands for no event."""
    expected = node.correlation.expected
    if not expected:
        return
    node.load_states(tx, expected)
    for group in expected:
        if group not in node.states:
            node.arrive([Match(group, watermark, "", 0)], ())
            node.put(after_arrival(node.correlation, group, None, watermark))


def _inner_change(node: Node, group: Group, change: Change) -> tuple[list[Hit], list[Hit]]:
    """Note an inner episode's change; return the hits that come and that go with it."""
    correlation, old, new = node.correlation, change.known, change.episode
    gone: list[Hit] = []
    if old is not None:
        node.notes.dropped.append((group, old.id))
        gone.append(_hit_of(correlation, group, old))
    if new is None:
        return [], gone
    identifier = episode_id(correlation, new) if old is None else old.id
    known = Known(identifier, new.first_at, new.last_at, new.fired_at, new.first_event, new.count)
    node.notes.inner.append((group, known))
    if old is not None and old.fired_at == new.fired_at:
        return [], []
    return [episode_hit(correlation, new, identifier)], gone


def _hit_of(correlation: Correlation, group: Group, known: Known) -> Hit:
    span = (known.first_at, known.last_at, known.fired_at)
    episode = Episode(group, *span, "", (), known.count)
    return episode_hit(correlation, episode, known.id)
