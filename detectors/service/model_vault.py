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
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.canonical import canonical_record
from secops.kernel.errors import NotFound, Unavailable
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

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
