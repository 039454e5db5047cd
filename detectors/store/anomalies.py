"""Models, judgements and progress in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from detectors.errors import ModelNotFound
from detectors.models.anomalies import Judgement, ModelRecord
from detectors.store.tables import anomaly_progress, login_judgements, models
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class DatabaseModels:
    """Implements ``detectors.ports.ModelStore``."""

    def add(self, tx: Transaction, record: ModelRecord) -> None:
        """Store an active model; the one of its kind before is retired."""
        tx.execute(
            models.update()
            .where(
                models.c.org_id == record.org_id,
                models.c.kind == record.kind,
                models.c.state == "active",
            )
            .values(state="retired")
        )
        tx.execute(
            models.insert().values(
                id=record.id,
                org_id=record.org_id,
                kind=record.kind,
                state=record.state,
                made_at=record.made_at,
                digest=record.digest,
                signatures=_text(record.signatures),
                card=_text(record.card),
                drift=_text(record.drift),
            )
        )

    def active(self, tx: Transaction, org_id: str, kind: str) -> ModelRecord | None:
        """Return the model of ``kind`` that is used."""
        query = sa.select(models).where(
            models.c.org_id == org_id, models.c.kind == kind, models.c.state == "active"
        )
        row = tx.execute(query.order_by(models.c.made_at.desc()).limit(1)).first()
        return None if row is None else _record(row)

    def get(self, tx: Transaction, org_id: str, model_id: str) -> ModelRecord:
        """Return it; raise ``ModelNotFound``."""
        query = sa.select(models).where(models.c.id == model_id, models.c.org_id == org_id)
        row = tx.execute(query).first()
        if row is None:
            raise ModelNotFound
        return _record(row)

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Sequence[ModelRecord]:
        """Return at most ``page.limit + 1`` models, newest first."""
        query = sa.select(models).where(models.c.org_id == org_id)
        if (after := page.key(int, str)) is not None:
            made_at, model_id = after
            same = sa.and_(models.c.made_at == made_at, models.c.id < model_id)
            query = query.where(sa.or_(models.c.made_at < made_at, same))
        query = query.order_by(models.c.made_at.desc(), models.c.id.desc()).limit(page.limit + 1)
        return [_record(row) for row in tx.execute(query)]

    def set_drift(self, tx: Transaction, model_id: str, drift: dict[str, Any]) -> None:
        """Store how far what is seen has moved since a model's training."""
        tx.execute(models.update().where(models.c.id == model_id).values(drift=_text(drift)))

    def judge(self, tx: Transaction, judgement: Judgement) -> None:
        """Store what a person says of a sign-in; the last word counts."""
        values = {
            "org_id": judgement.org_id,
            "verdict": judgement.verdict,
            "judged_by": judgement.by,
            "judged_at": judgement.at,
            "reason": judgement.reason,
        }
        mine = login_judgements.c.session_id == judgement.session_id
        if not tx.execute(login_judgements.update().where(mine).values(**values)).rowcount:
            tx.execute(login_judgements.insert().values(session_id=judgement.session_id, **values))

    def judgements(self, tx: Transaction, org_id: str) -> Sequence[Judgement]:
        """Return all that was said."""
        query = sa.select(login_judgements).where(login_judgements.c.org_id == org_id)
        return [
            Judgement(
                row.org_id, row.session_id, row.verdict, row.judged_by, row.judged_at, row.reason
            )
            for row in tx.execute(query)
        ]

    def position(self, tx: Transaction, name: str) -> int:
        """Return the ingest number that ``name`` looks at next."""
        mine = anomaly_progress.c.name == name
        return int(
            tx.execute(sa.select(anomaly_progress.c.next_seq).where(mine)).scalar_one_or_none() or 1
        )

    def advance(self, tx: Transaction, name: str, before: int, after: int) -> bool:
        """Go from ``before`` to ``after``; False if somebody else was there first."""
        values = {"next_seq": after, "changed_at": tx.now}
        mine = anomaly_progress.c.name == name
        moved = tx.execute(
            anomaly_progress.update()
            .where(mine, anomaly_progress.c.next_seq == before)
            .values(**values)
        )
        if moved.rowcount == 1:
            return True
        if tx.execute(sa.select(anomaly_progress.c.name).where(mine)).first() is not None:
            return False
        tx.execute(anomaly_progress.insert().values(name=name, **values))
        return before == 1

    def ask_training(self, tx: Transaction, kind: str) -> None:
        """Note that a model of ``kind`` is wanted: ``position`` of ``train KIND`` says when."""
        mine = anomaly_progress.c.name == f"train {kind}"
        values = {"next_seq": tx.now, "changed_at": tx.now}
        if not tx.execute(anomaly_progress.update().where(mine).values(**values)).rowcount:
            tx.execute(anomaly_progress.insert().values(name=f"train {kind}", **values))


def models_in_use(tx: Transaction) -> list[ModelRecord]:
    """Return every organisation's active models, by kind."""
    query = sa.select(models).where(models.c.state == "active").order_by(models.c.kind)
    return [_record(row) for row in tx.execute(query)]


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _record(row: Any) -> ModelRecord:
    return ModelRecord(
        id=row.id,
        org_id=row.org_id,
        kind=row.kind,
        state=row.state,
        made_at=row.made_at,
        digest=row.digest,
        signatures=orjson.loads(row.signatures),
        card=orjson.loads(row.card),
        drift=orjson.loads(row.drift),
    )
