"""Models at rest: content by its SHA-256, signed with the card; read only after both fit."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from detectors.errors import ModelRejected
from detectors.models.anomalies import ModelRecord
from detectors.ports import ModelSigner, ModelStore
from secops.crypto.hashes import sha256
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import DAY
from secops.kernel.errors import NotFound, Unavailable
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

GRACE_DAYS: Final = 30
"""How long a replaced model's file stays: to look into what it said."""
_ACTOR: Final = system_actor("detectors")
_STATEMENT: Final = "govsecops anomaly model, version 1"


@dataclass(frozen=True, slots=True)
class ModelVault:
    """Keeps models and gives them back verified."""

    parts: Parts
    store: ModelStore
    signer: ModelSigner

    def keep(self, actor: Actor, kind: str, content: bytes, card: Mapping[str, Any]) -> ModelRecord:
        """Sign and store a model; it is the active one of its kind from now on."""
        made_at = self.parts.clock.now()
        digest = self.parts.blobs.put(content)
        message = statement(kind, made_at, digest, card)
        record = ModelRecord(
            id=self.parts.ids.new("mdl"),
            org_id=ROOT_ORG,
            kind=kind,
            state="active",
            made_at=made_at,
            digest=digest,
            signatures=self.signer.sign_model(message),
            card=dict(card),
        )

        def work(tx: Transaction) -> None:
            self.store.add(tx, record)
            details = {"kind": kind, "sha256": digest, "algorithms": sorted(record.signatures)}
            tx.record(Act("detectors.train_model", actor, f"model:{record.id}", details=details))

        self.parts.transactions.run(work)
        return record

    def active(self, kind: str) -> ModelRecord | None:
        """Return the record of the model in use."""
        return self.parts.transactions.read(lambda tx: self.store.active(tx, ROOT_ORG, kind))

    def forget_retired(self) -> bool:
        """Delete the files of models that another one replaced ``GRACE_DAYS`` ago.

        Their cards, signatures and the acts about them stay: what a model was can be shown,
        only judging with it can't be repeated.
        """
        until = self.parts.clock.now() - GRACE_DAYS * DAY
        records = self._records()
        replaced: dict[str, int] = {}  # by kind: when the next newer model was made
        kept = {each.digest for each in records if each.state != "retired"}
        for record in records:
            over = record.state == "retired" and replaced.get(record.kind, until) < until
            replaced[record.kind] = record.made_at
            if over and record.digest not in kept and self.parts.blobs.drop(record.digest):
                details = {"kind": record.kind, "sha256": record.digest}
                target = f"model:{record.id}"
                act = Act("detectors.delete_model_file", _ACTOR, target, details=details)
                self.parts.trail.append([act])
        return False

    def _records(self) -> list[ModelRecord]:
        """Return every model, newest first."""
        found: list[ModelRecord] = []
        page = PageRequest(MAX_LIMIT)
        while True:
            rows = self.parts.transactions.read(
                lambda tx, page=page: self.store.page(tx, ROOT_ORG, page)  # type: ignore[misc]
            )
            found.extend(rows[: page.limit])
            if len(rows) <= page.limit:
                return found
            edge = found[-1]
            page = PageRequest(MAX_LIMIT, (edge.made_at, edge.id))

    def open(self, record: ModelRecord) -> bytes:
        """Return a model's content; raise ``ModelRejected`` if one bit of it is not ours."""
        try:
            content = self.parts.blobs.get(record.digest)
        except (NotFound, Unavailable) as error:
            raise ModelRejected(f"the file of model {record.id} is gone or was changed") from error
        if not hmac.compare_digest(sha256(content).hex(), record.digest):
            raise ModelRejected(f"the file of model {record.id} was changed")
        message = statement(record.kind, record.made_at, record.digest, record.card)
        self.signer.verify_model(message, record.signatures)
        return content


def statement(kind: str, made_at: int, digest: str, card: Mapping[str, Any]) -> bytes:
    """Return what is signed: kind, time, digest of the content, digest of the card."""
    written = orjson.dumps(dict(card), option=orjson.OPT_SORT_KEYS)
    return canonical_record(
        {
            "what": _STATEMENT,
            "kind": kind,
            "made_at": made_at,
            "sha256": digest,
            "card_sha256": sha256(written).hex(),
        }
    )
