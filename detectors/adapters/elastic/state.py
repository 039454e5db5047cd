"""What the writers remember: one document that is only ever changed conditionally.

``open`` is the range of numbers that a writer is storing. Who finds one open finds a writer
that died or was overtaken: its numbers are never used again (``broken``), and where its events
are offered anew, which they are since nobody acknowledged them, they get new numbers. So a
reader that has passed a number has seen every acknowledged event with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from detectors.adapters.elastic.connection import Connection
from detectors.adapters.elastic.mapping import days_of, state_index, state_of, template
from detectors.errors import LogStoreUnavailable

_WRITER: Final = "writer"
_MOST_BROKEN: Final = 1_000
_ABSENT: Final = 404
_CONFLICT: Final = 409
_EXISTS: Final = 400

Span = tuple[int, int]


class Overtaken(LogStoreUnavailable):
    """Another writer changed the state meanwhile: nothing of this one's work counts."""

    code = "detectors.log_writer_overtaken"


@dataclass(frozen=True, slots=True)
class State:
    """``last_seq`` is the newest number that readers may see; ``pending`` wait for the ledger.

    ``dropped`` are days that the retention took, each with the newest number of that moment.
    """

    last_seq: int = 0
    open: Span | None = None
    broken: tuple[Span, ...] = ()
    pending: tuple[str, ...] = ()
    dropped: tuple[tuple[str, int], ...] = ()
    version: tuple[int, int] | None = None

    def is_broken(self, seq: int) -> bool:
        """Tell whether a writer that died gave this number."""
        return any(first <= seq <= last for first, last in self.broken)

    def was_dropped(self, day: str, last_seq: int) -> bool:
        """Tell whether the retention took what a batch up to ``last_seq`` held of ``day``."""
        return any(each == day and last_seq <= seq for each, seq in self.dropped)

    def to_record(self) -> dict[str, Any]:
        """Return it as a document."""
        return {
            "kind": _WRITER,
            "last_seq": self.last_seq,
            "open": None if self.open is None else list(self.open),
            "broken": [list(span) for span in self.broken],
            "pending": list(self.pending),
            "dropped": [list(each) for each in self.dropped],
        }


class StateDocument:
    """Reads and conditionally changes the state."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._index = state_of(connection.address.prefix)
        self._is_declared = False

    def declare(self) -> None:
        """Make sure that the template and the state's index are there."""
        if self._is_declared:
            return
        ask, prefix = self._connection.ask, self._connection.address.prefix
        ask("PUT", f"/_index_template/{prefix}", template(prefix))
        if ask("GET", f"/{self._index}/_mapping", none_if=(_ABSENT,)) is None:
            ask("PUT", f"/{self._index}", state_index(), none_if=(_EXISTS,))
        self._is_declared = True

    def read(self) -> State:
        """Return the state as it is now; the first one where there is none."""
        found = self._connection.ask("GET", f"/{self._index}/_doc/{_WRITER}", none_if=(_ABSENT,))
        return State() if found is None else _state(found)

    def write(self, state: State) -> State:
        """Replace what was read as ``state.version``; raise ``Overtaken``."""
        condition: Mapping[str, int | str] = {"op_type": "create"}
        if state.version is not None:
            condition = {"if_seq_no": state.version[0], "if_primary_term": state.version[1]}
        path = f"/{self._index}/_doc/{_WRITER}"
        record = state.to_record()
        answer = self._connection.ask("PUT", path, record, none_if=(_CONFLICT,), query=condition)
        if answer is not None:
            return replace(state, version=(answer["_seq_no"], answer["_primary_term"]))
        now = self.read()
        if now.to_record() == record:  # the answer to our own request was lost
            return now
        raise Overtaken("another process writes to this log store")

    def begin(self, state: State, count: int) -> State:
        """Open ``count`` numbers; what another has left open is given up for good."""
        broken, last = state.broken, state.last_seq
        if state.open is not None:
            broken = (*broken, state.open)[-_MOST_BROKEN:]
            last = max(last, state.open[1])
            prefix = self._connection.address.prefix
            self._connection.ask("POST", f"/{days_of(prefix)}/_refresh", none_if=(_ABSENT,))
        if not count and state.open is None:
            return state
        opened = (last + 1, last + count) if count else None
        return self.write(replace(state, last_seq=last, open=opened, broken=broken))


def _state(found: Mapping[str, Any]) -> State:
    source = found["_source"]
    opened = source["open"]
    return State(
        source["last_seq"],
        None if opened is None else (opened[0], opened[1]),
        tuple((first, last) for first, last in source["broken"]),
        tuple(source["pending"]),
        tuple((day, seq) for day, seq in source["dropped"]),
        (found["_seq_no"], found["_primary_term"]),
    )
