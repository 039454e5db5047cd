"""The province's e-seal system, and the way out to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from kms.models.remote_seals import RemoteSeal, RemoteSealOrder, RemoteUse, RemoteVerdict


class RemoteSealer(Protocol):
    """Makes, uses and verifies seals elsewhere.

    Each call may be repeated: orders and uses carry an id, and one id is one effect. All raise
    ``RemoteSealerAbsent`` where there is none, ``RemoteSealerFailed`` where it does not answer
    properly, ``RemoteSealerRefused`` where it says no.
    """

    @property
    def is_there(self) -> bool:
        """Tell whether there is such a system."""
        ...

    def request_seal(self, order: RemoteSealOrder) -> str:
        """Ask for a seal and return the province's reference of it."""
        ...

    def seal_state(self, reference: str) -> RemoteSeal:
        """Return what has become of it."""
        ...

    def use_seal(self, reference: str, use: RemoteUse) -> bytes:
        """Return a SES_Signature in DER, unverified."""
        ...

    def verify_seal(self, content: bytes, document: bytes | None) -> RemoteVerdict:
        """Return what the province's verifier says of a file."""
        ...


class Outbound(Protocol):
    """The guarded way out: limits on addresses, size and time; no redirects are followed."""

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        """Return (status, answer); raise a ``SecopsError`` for a forbidden or silent side."""
        ...

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Send ``body``; return (status, answer cut at the limit); raise as ``get``."""
        ...
