"""How far each detector is, in the database; every change is a conditional statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from detectors.models.schedule import Admission, DetectorKey, Progress, Span, Step
from detectors.store.pieces import pieces
from detectors.store.tables import cursors, evaluations, gaps, watermarks
from secops.kernel.transactions import Transaction

_MANY: Final = 400
_NAME: Final = "events"


_PLACE: Final = (cursors.c.detector, cursors.c.version, cursors.c.next_seq)
_GAP: Final = (gaps.c.detector, gaps.c.version, gaps.c.first_seq, gaps.c.last_seq)


_ADD_HITS: Final = (
    evaluations.update()
    .where(
        evaluations.c.detector == sa.bindparam("its"),
        evaluations.c.version == sa.bindparam("text"),
        evaluations.c.first_seq <= sa.bindparam("low"),
        evaluations.c.last_seq >= sa.bindparam("high"),
    )
    .values(hits=evaluations.c.hits + sa.bindparam("count"))
)


class DatabaseSchedule:
    """Cursors, gaps, evaluations and the watermark."""

    def __init__(self) -> None:
        self._kept: tuple[Any, Mapping[DetectorKey, Progress]] = (None, {})

    def progress(self, tx: Transaction) -> Mapping[DetectorKey, Progress]:
        """Return every detector's place and gaps (the oldest first).

        Rows that are as they were the last time give what was made of them then.
        """
        left = [tuple(row) for row in tx.execute(sa.select(*_GAP).order_by(gaps.c.first_seq))]
        rows = (left, [tuple(row) for row in tx.execute(sa.select(*_PLACE))])
        before, found = self._kept
        if rows != before:
            found = _progress(*rows)
            self._kept = (rows, found)
        return found

    def admit(self, tx: Transaction, admissions: Sequence[Admission], fence: int) -> bool:
        """Set detectors to the front; False if one was moved meanwhile."""
        moves: dict[tuple[int | None, int], list[DetectorKey]] = {}
        for each in admissions:
            moves.setdefault((each.before, each.next_seq), []).append(each.key)
        for (before, next_seq), keys in moves.items():
            values = {"next_seq": next_seq, "fence": fence, "changed_at": tx.now}
            for some in pieces(keys, _MANY):
                if not _set_cursors(tx, some, before, values):
                    return False
        left = [_gap(each.key, each.gap, fence) for each in admissions if each.gap is not None]
        if left:
            tx.execute(gaps.insert(), left)
        return True

    def advance(self, tx: Transaction, step: Step, seen: Span, fence: int) -> bool:
        """Note that ``step``'s detectors saw ``seen``; one statement checks and moves many."""
        if step.kind == "live":
            values = {"next_seq": seen.last + 1, "fence": fence, "changed_at": tx.now}
            moved = sum(
                tx.execute(
                    cursors.update()
                    .where(
                        _among(cursors, keys),
                        cursors.c.next_seq == seen.first,
                        cursors.c.fence <= fence,
                    )
                    .values(**values)
                ).rowcount
                for keys in pieces(step.keys, _MANY)
            )
            return bool(moved == len(step.keys))
        return self._fill(tx, step, seen, fence)

    def leave(self, tx: Transaction, keys: Sequence[DetectorKey], span: Span, fence: int) -> None:
        """Note a gap; one that ends where ``span`` begins grows."""
        for key in keys:
            grown = tx.execute(
                gaps.update()
                .where(_among(gaps, (key,)), gaps.c.last_seq == span.first - 1)
                .values(last_seq=span.last, fence=fence)
            )
            if grown.rowcount == 0:
                tx.execute(gaps.insert().values(**_gap(key, span, fence)))

    def record(
        self, tx: Transaction, step: Step, seen: Span, events: int, hits: Mapping[DetectorKey, int]
    ) -> None:
        """Add to the evaluations; ranges that touch become one."""
        for keys in pieces(step.keys, _MANY):
            before = _among(evaluations, keys) & (evaluations.c.last_seq == seen.first - 1)
            columns = (evaluations.c.detector, evaluations.c.version)
            known = {(d, v) for d, v in tx.execute(sa.select(*columns).where(before))}
            if known:
                tx.execute(
                    evaluations.update()
                    .where(before)
                    .values(last_seq=seen.last, events=evaluations.c.events + events, at=tx.now)
                )
            fresh = [_evaluation(key, seen, events, tx.now) for key in keys if key not in known]
            if fresh:
                tx.execute(evaluations.insert(), fresh)
            if step.kind == "backfill":
                self._join(tx, keys, seen)
        if hits:
            found = [{"its": d, "text": v, "count": n} for (d, v), n in hits.items()]
            tx.execute(
                _ADD_HITS, [{**each, "low": seen.first, "high": seen.last} for each in found]
            )

    def watermark(self, tx: Transaction) -> int | None:
        """Return the instant up to which all was awaited."""
        found = tx.execute(sa.select(watermarks.c.at).where(watermarks.c.name == _NAME)).scalar()
        return None if found is None else int(found)

    def set_watermark(self, tx: Transaction, at: int, fence: int) -> bool:
        """Raise the watermark (a lower one changes nothing); False if a newer fence wrote."""
        here = watermarks.c.name == _NAME
        known = tx.execute(sa.select(watermarks.c.at, watermarks.c.fence).where(here)).first()
        if known is None:
            row = {"name": _NAME, "at": at, "fence": fence, "changed_at": tx.now}
            tx.execute(watermarks.insert().values(**row))
            return True
        values = {"at": max(at, known.at), "fence": fence, "changed_at": tx.now}
        moved = watermarks.update().where(here, watermarks.c.fence <= fence).values(**values)
        return bool(tx.execute(moved).rowcount == 1)

    def _fill(self, tx: Transaction, step: Step, seen: Span, fence: int) -> bool:
        filled = 0
        for keys in pieces(step.keys, _MANY):
            mine = _among(gaps, keys) & (gaps.c.first_seq == seen.first) & (gaps.c.fence <= fence)
            done = tx.execute(gaps.delete().where(mine, gaps.c.last_seq == seen.last))
            left = tx.execute(
                gaps.update()
                .where(mine, gaps.c.last_seq > seen.last)
                .values(first_seq=seen.last + 1, fence=fence)
            )
            filled += done.rowcount + left.rowcount
        return filled == len(step.keys)

    def _join(self, tx: Transaction, keys: Sequence[DetectorKey], seen: Span) -> None:
        """Join the ranges that end at ``seen`` with those that begin right behind it."""
        behind = _among(evaluations, keys) & (evaluations.c.first_seq == seen.last + 1)
        for row in list(tx.execute(sa.select(evaluations).where(behind))):
            one = _among(evaluations, ((row.detector, row.version),))
            tx.execute(evaluations.delete().where(one, evaluations.c.first_seq == row.first_seq))
            tx.execute(
                evaluations.update()
                .where(one, evaluations.c.last_seq == seen.last)
                .values(
                    last_seq=row.last_seq,
                    events=evaluations.c.events + row.events,
                    hits=evaluations.c.hits + row.hits,
                )
            )


def _progress(left: Sequence[Any], places: Sequence[Any]) -> dict[DetectorKey, Progress]:
    spans: dict[DetectorKey, list[Span]] = {}
    for detector, version, first, last in left:
        spans.setdefault((detector, version), []).append(Span(first, last))
    return {
        (key := (detector, version)): Progress(key, next_seq, tuple(spans.get(key, ())))
        for detector, version, next_seq in places
    }


def _among(table: sa.Table, keys: Sequence[DetectorKey]) -> Any:
    return sa.tuple_(table.c.detector, table.c.version).in_(list(keys))


def _set_cursors(
    tx: Transaction, keys: Sequence[DetectorKey], before: int | None, values: Mapping[str, Any]
) -> bool:
    """Move cursors that stand at ``before``, or make those that are not there yet."""
    if before is not None:
        here = (_among(cursors, keys), cursors.c.next_seq == before)
        free = cursors.c.fence <= values["fence"]
        moved = tx.execute(cursors.update().where(*here, free).values(**values))
        return bool(moved.rowcount == len(keys))
    if tx.execute(sa.select(cursors.c.fence).where(_among(cursors, keys))).first() is not None:
        return False
    tx.execute(cursors.insert(), [{"detector": d, "version": v, **values} for d, v in keys])
    return True


def _gap(key: DetectorKey, span: Span, fence: int) -> Mapping[str, Any]:
    return {
        "detector": key[0],
        "version": key[1],
        "first_seq": span.first,
        "last_seq": span.last,
        "fence": fence,
    }


def _evaluation(key: DetectorKey, seen: Span, events: int, at: int) -> Mapping[str, Any]:
    return {
        "detector": key[0],
        "version": key[1],
        "first_seq": seen.first,
        "last_seq": seen.last,
        "events": events,
        "hits": 0,
        "at": at,
    }
