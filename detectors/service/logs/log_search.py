"""Searches seen from above and taken away: histogram, top terms, facets, export."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final

import orjson

from detectors.core.query.exporting import BYTE_ORDER_MARK, COLUMNS, cells_of, csv_lines
from detectors.core.query.histogram import MAX_BARS, STEPS, counted_step, histogram_of, step_for
from detectors.core.query.syntax import parse_query
from detectors.core.query.times import parse_instant
from detectors.errors import BadQuery, BadQueryTime
from detectors.models.search import ExportOptions, ExportPart, Facet, Histogram, LogSurvey
from detectors.ports import PrivacyKeys
from detectors.service.logs.log_presentation import event_json
from detectors.service.logs.log_settings import zone_of
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Invalid
from secops.kernel.logs import Aggregation, And, LogStore, Not, Or, Query, StoredEvent, Window
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_EXPORT, LOG_SEARCH
from secops.kernel.trail import Act, Outcome

MAX_EXPORTED: Final = 10_000_000
MAX_ORDERED_QUERY: Final = 4_000
MAX_TERMS: Final = 1_000
MAX_FACETS: Final = 12
_MAX_COLUMNS: Final = 50
_PAGE: Final = 5_000
_RUNS: Final = system_actor("playbooks")
_COARSE_BARS: Final = 400
_BARS: Final = 60
_MAX_COUNTED: Final = 200_000

_QUERY: Final = b"query\0"
"""Keeps digests of queries apart from those of other things."""

Written = tuple[str | None, str | None]
"""A window (since, until) as a person writes it."""


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Use cases that count and export what a search finds; ``timezone`` is the readers'."""

    parts: Parts
    store: LogStore
    keys: PrivacyKeys
    timezone: str

    def survey_logs(
        self, actor: Actor, query: str, fields: Sequence[str], *, window: Written = (None, None)
    ) -> LogSurvey:
        """Return the histogram and the facets of a search, recorded as one act."""
        found, span = self._asked(actor, "detectors.survey_logs", query, window)
        return LogSurvey(self._histogram(found, span, None), self._facets(found, span, fields, 8))

    def histogram_logs(
        self,
        actor: Actor,
        query: str,
        *,
        window: Written = (None, None),
        step: int | None = None,
    ) -> Histogram:
        """Return how many events there are over time; ``step`` seconds, or what suits."""
        if step is not None and not 1 <= step <= STEPS[-1]:
            msg = f"a step is from 1 to {STEPS[-1]} seconds"
            raise Invalid(msg)
        found, span = self._asked(actor, "detectors.histogram_logs", query, window)
        return self._histogram(found, span, step)

    def top_terms(
        self,
        actor: Actor,
        query: str,
        fields: Sequence[str],
        *,
        window: Written = (None, None),
        limit: int = 10,
    ) -> tuple[Facet, ...]:
        """Return the most frequent values of each of ``fields``."""
        if not 1 <= limit <= MAX_TERMS or not 1 <= len(fields) <= MAX_FACETS:
            msg = f"from 1 to {MAX_FACETS} fields with 1 to {MAX_TERMS} terms each"
            raise Invalid(msg)
        found, span = self._asked(actor, "detectors.top_terms", query, window)
        return self._facets(found, span, fields, limit)

    def export_logs(
        self, actor: Actor, query: str, options: ExportOptions, *, window: Written = (None, None)
    ) -> Iterator[ExportPart]:
        """Yield the matches, newest first, as CSV or JSON Lines, piece by piece.

        The intent is in the ledger before the first byte, the outcome with the number of
        events and the digest of what was given after the last.
        """
        if options.form not in ("csv", "jsonl") or not 1 <= options.limit <= MAX_EXPORTED:
            msg = f"an export is csv or jsonl, of 1 to {MAX_EXPORTED} events"
            raise Invalid(msg)
        if len(options.columns) > _MAX_COLUMNS:
            msg = f"at most {_MAX_COLUMNS} columns"
            raise Invalid(msg)
        self.parts.access.require(actor, LOG_EXPORT, "logs:*")
        found, span = read_search(query, window, self.timezone, self.parts.clock.now())
        details: dict[str, Any] = {
            **query_digest(self.keys, query),
            "form": options.form,
            "limit": options.limit,
        }
        return self._exported(actor, self._pages(found, span, options.limit), options, details)

    def gather_export(
        self,
        actor: Actor,
        asked: tuple[str, Written],
        options: ExportOptions,
        *,
        max_events: int,
        max_bytes: int,
    ) -> ExportPart:
        """Return an export in one piece, for answers that are not streamed.

        ``asked`` is query and window. The piece that reaches ``max_bytes`` is the last.
        """
        if options.limit > max_events:
            msg = f"at most {max_events} events here; the command line exports more"
            raise Invalid(msg)
        content, rows, is_cut = bytearray(), 0, False
        for part in self.export_logs(actor, asked[0], options, window=asked[1]):
            content += part.content
            rows, is_cut = part.rows, part.is_cut
            if len(content) > max_bytes:
                is_cut = True
                break
        return ExportPart(bytes(content), rows, is_cut)

    def check_query(self, query: str) -> None:
        """Raise ``BadQuery`` unless ``query`` can be read."""
        self._ordered(query)

    def collect_logs(
        self, query: str, window: Window, *, max_bytes: int, limit: int, told: Mapping[str, str]
    ) -> ExportPart:
        """Return the newest matches as JSON Lines, for a playbook's run.

        No route and no command leads here: the authority stands in the plan that the run
        carries out, which ``told`` names. Nothing is given before it is in the ledger.
        """
        content, rows, is_cut = bytearray(), 0, False
        for stored in chain.from_iterable(self._pages(self._ordered(query), window, limit)):
            line = _content([stored], "jsonl", ())
            is_cut = rows == limit or len(content) + len(line) > max_bytes
            if is_cut:
                break
            content += line
            rows += 1
        digest = hashlib.sha256(content).hexdigest()
        details = {**query_digest(self.keys, query), "events": rows, "sha256": digest, **told}
        self._record(_RUNS, "detectors.collect_logs", details)
        return ExportPart(bytes(content), rows, is_cut)

    def _ordered(self, query: str) -> Query:
        if len(query) > MAX_ORDERED_QUERY:
            msg = f"a query of at most {MAX_ORDERED_QUERY} characters"
            raise Invalid(msg)
        return parse_query(query, zone_of(self.timezone), self.parts.clock.now())

    def _asked(
        self, actor: Actor, action: str, query: str, window: Written
    ) -> tuple[Query, Window]:
        self.parts.access.require(actor, LOG_SEARCH, "logs:*")
        asked = read_search(query, window, self.timezone, self.parts.clock.now())
        record_search(self.parts, self.keys, actor, (action, query))
        return asked

    def _histogram(self, query: Query, window: Window, step: int | None) -> Histogram:
        offset = self._offset()
        span = self._span(query, window)
        if span is None:
            return Histogram(step or STEPS[0], (), 0)
        chosen = step or step_for(*span, _BARS)
        if (span[1] - span[0]) / SECOND / chosen > MAX_BARS:
            msg = f"more than {MAX_BARS} bars: choose a greater step or a shorter time"
            raise Invalid(msg)
        by = Aggregation((), counted_step(chosen, offset), _MAX_COUNTED)
        return histogram_of(self.store.aggregate(query, window, by), chosen, offset)

    def _span(self, query: Query, window: Window) -> tuple[int, int] | None:
        """Return the window; where it is open, from the first to the last match, about."""
        if window.since is not None and window.until is not None:
            return window.since, window.until
        known = self.store.sources()
        if not known:
            return None
        first = min(source.first_at for source in known)
        last = max(source.last_at for source in known) + 1
        since = first if window.since is None else max(first, window.since)
        until = last if window.until is None else min(last, window.until)
        step = step_for(since, until, _COARSE_BARS)
        by = Aggregation((), step, _MAX_COUNTED)
        bars = histogram_of(self.store.aggregate(query, window, by), step, 0).bars
        if not bars:
            return None
        return max(since, bars[0].start), min(until, bars[-1].start + step * SECOND)

    def _facets(
        self, query: Query, window: Window, fields: Sequence[str], limit: int
    ) -> tuple[Facet, ...]:
        return tuple(
            Facet(
                name, tuple(self.store.aggregate(query, window, Aggregation((name,), None, limit)))
            )
            for name in fields
        )

    def _pages(self, query: Query, window: Window, limit: int) -> Iterator[list[StoredEvent]]:
        """Yield up to ``limit`` + 1 matches in pages: the one more says that there is more."""
        left, before = limit + 1, None
        while left > 0:
            page = list(self.store.search(query, window, min(_PAGE, left), before))
            if page:
                yield page
            if len(page) < min(_PAGE, left):
                return
            left -= len(page)
            before = (page[-1].event.at, page[-1].seq)

    def _exported(
        self,
        actor: Actor,
        pages: Iterator[list[StoredEvent]],
        options: ExportOptions,
        details: dict[str, Any],
    ) -> Iterator[ExportPart]:
        digest, rows, is_cut = hashlib.sha256(), 0, False
        outcome: Outcome = "failed"
        columns = options.columns or COLUMNS
        self._record(actor, "detectors.export_logs", details, "intent")
        head = BYTE_ORDER_MARK + csv_lines([columns]) if options.form == "csv" else ""
        try:
            digest.update(head.encode())
            yield ExportPart(head.encode(), 0, is_cut=False)
            for page in pages:
                kept = list(islice(page, options.limit - rows))
                rows, is_cut = rows + len(kept), len(kept) < len(page)
                content = _content(kept, options.form, columns)
                digest.update(content)
                yield ExportPart(content, rows, is_cut)
            outcome = "done"
        finally:
            told = {**details, "events": rows, "is_cut": is_cut, "sha256": digest.hexdigest()}
            self._record(actor, "detectors.export_logs", told, outcome)

    def _offset(self) -> int:
        """Return the readers' zone now, seconds east of UTC."""
        now = datetime.fromtimestamp(self.parts.clock.now() / SECOND, UTC)
        offset = now.astimezone(zone_of(self.timezone)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())

    def _record(
        self, actor: Actor, action: str, details: dict[str, Any], outcome: Outcome = "done"
    ) -> None:
        self.parts.trail.append([Act(action, actor, "logs:*", outcome, details)])


def read_search(query: str, window: Written, timezone: str, now: int) -> tuple[Query, Window]:
    """Return what a search asks for and when; raise ``BadQuery``."""
    return parse_query(query, zone_of(timezone), now), read_window(window, timezone, now)


def record_search(parts: Parts, keys: PrivacyKeys, actor: Actor, asked: tuple[str, str]) -> None:
    """Record that somebody searched: ``asked`` is the action and the query."""
    action, query = asked
    details = query_digest(keys, query)
    parts.trail.append([Act(action, actor, "logs:*", details=details)])


def query_digest(keys: PrivacyKeys, query: str) -> dict[str, str]:
    """Return what the ledger keeps of a query, which may name a person.

    Keyed: a plain digest of a name or a number could be guessed. Equal queries have equal
    digests. While the pool is locked nothing is kept of it.
    """
    return {"query_hmac": keys.digest(_QUERY + query.encode()).hex()} if keys.ready() else {}


def read_window(written: Written, timezone: str, now: int) -> Window:
    """Return the window that (since, until) mean; a last date is the whole day."""
    zone = zone_of(timezone)
    since, until = written
    window = Window(
        parse_instant(since, zone, now) if since else None,
        parse_instant(until, zone, now, end=True) if until else None,
    )
    if window.since is not None and window.until is not None and window.since > window.until:
        msg = "since is later than until"
        raise BadQueryTime(msg)
    return window


def narrowed(query: str, name: str, value: str, *, without: bool = False) -> str:
    """Return ``query`` and (or but not) ``name`` being exactly ``value``."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    field = "".join(f"\\{char}" if char in _SPECIAL else char for char in name)
    term = f'{"NOT " if without else ""}{field}:"{quoted}"'
    if query.strip() in ("", "*", "*:*"):
        return term
    return f"({query}) AND {term}" if _is_choice(query) else f"{query} AND {term}"


_SPECIAL: Final = frozenset(' +-&|!(){}[]^"~*?:\\/<>=')


def _is_choice(query: str) -> bool:
    try:
        return _has_choice(parse_query(query, UTC, 0))
    except BadQuery:
        return False


def _has_choice(query: Query) -> bool:
    if isinstance(query, Not):
        return _has_choice(query.query)
    return isinstance(query, Or) or (
        isinstance(query, And) and any(map(_has_choice, query.queries))
    )


def _content(page: Sequence[StoredEvent], form: str, columns: Sequence[str]) -> bytes:
    if form == "csv":
        return csv_lines(cells_of(stored, columns) for stored in page).encode()
    return b"".join(orjson.dumps(event_json(stored)) + b"\n" for stored in page)
