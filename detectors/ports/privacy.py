"""What masking needs: classes of data, policies of sources, kept originals, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detectors.errors import PrivacyKeysMissing
from detectors.models.privacy import DataClassFile, KeptOriginal, SourcePolicy
from secops.kernel.transactions import Transaction


class DataClassSource(Protocol):
    """Where classes of data are described."""

    def data_class_files(self) -> Sequence[DataClassFile]:
        """Return the files, in order: a later class of the same id replaces an earlier one."""
        ...


class PrivacyKeys(Protocol):
    """Keys of the pool for subjects and originals; kms fills it."""

    def ready(self) -> bool:
        """Whether the pool is unlocked."""
        ...

    def digest(self, data: bytes) -> bytes:
        """Return 32 bytes that only the pool can compute of ``data``."""
        ...

    def seal(self, original: bytes, event_id: str) -> bytes:
        """Return ``original`` encrypted and bound to ``event_id``."""
        ...

    def open(self, sealed: bytes, event_id: str) -> bytes:
        """Return what was sealed for ``event_id``; raise where it was changed."""
        ...


class PolicyStore(Protocol):
    """Keeps the policies of sources."""

    def put(self, tx: Transaction, policy: SourcePolicy) -> None:
        """Store a source's policy, replacing the one it has."""
        ...

    def find(self, tx: Transaction, org_id: str, source: str) -> SourcePolicy | None:
        """Return a source's policy, or None."""
        ...

    def list(self, tx: Transaction, org_id: str) -> Sequence[SourcePolicy]:
        """Return an organisation's policies, by source."""
        ...


class OriginalStore(Protocol):
    """Keeps sealed originals of masked events."""

    def keep(self, tx: Transaction, originals: Sequence[KeptOriginal]) -> None:
        """Store them; one that is there already stays."""
        ...

    def find(self, tx: Transaction, event_id: str) -> KeptOriginal | None:
        """Return the original of an event, or None."""
        ...

    def drop(self, tx: Transaction, before: int) -> int:
        """Forget those of events before ``before``; return how many."""
        ...


class NoPrivacyKeys:
    """Where there is no key pool: nothing is traced, nothing can be kept."""

    def ready(self) -> bool:
        """Say no."""
        return False

    def digest(self, data: bytes) -> bytes:  # noqa: ARG002 - the port's
        """Refuse."""
        raise PrivacyKeysMissing

    def seal(self, original: bytes, event_id: str) -> bytes:  # noqa: ARG002 - the port's
        """Refuse."""
        raise PrivacyKeysMissing

    def open(self, sealed: bytes, event_id: str) -> bytes:  # noqa: ARG002 - the port's
        """Refuse."""
        raise PrivacyKeysMissing
