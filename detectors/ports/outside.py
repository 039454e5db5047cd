"""What other planes provide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detectors.ports.anomalies import ModelSigner, NoModelSigner
from detectors.ports.privacy import NoPrivacyKeys, PrivacyKeys


class OwnActs(Protocol):
    """The ledger's records, which the platform watches like any other log; audits fills it."""

    def records_from(self, first: int, count: int) -> Sequence[bytes]:
        """Return at most ``count`` leaf records from index ``first`` on, in order."""
        ...


class NoActs:
    """Where there is no ledger to watch."""

    def records_from(self, first: int, count: int) -> Sequence[bytes]:  # noqa: ARG002 - the port's
        """Return nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class DetectorsPorts:
    """What other planes provide."""

    acts: OwnActs = field(default_factory=NoActs)
    privacy_keys: PrivacyKeys = field(default_factory=NoPrivacyKeys)
    model_signer: ModelSigner = field(default_factory=NoModelSigner)
