"""Shares of the secret that opens the root key, and who holds them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Share:
    """One point of a set. ``value`` is as secret as a key."""

    set_id: bytes
    threshold: int
    index: int
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SharePlan:
    """A set of shares as the envelope keeps it: who holds which, and each one's mark."""

    set_id: bytes
    threshold: int
    holders: tuple[str, ...]
    marks: tuple[bytes, ...]

    @property
    def shares(self) -> int:
        """How many shares there are."""
        return len(self.holders)


@dataclass(frozen=True, slots=True)
class IssuedShare:
    """A share as it is handed over, once. ``text`` is as secret as a key."""

    holder: str
    index: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opening:
    """How the root key is to be opened: by ``threshold`` of the holders, or by a passphrase.

    Without holders it is a passphrase.
    """

    threshold: int = 1
    holders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnlockProgress:
    """How far an unlocking has come: ``given`` of ``threshold`` of ``shares``.

    ``nonce`` names this attempt, empty before the first share; ``method`` is how the root key
    is opened, ``set_id`` which shares are meant.
    """

    method: str
    threshold: int = 1
    shares: int = 1
    given: int = 0
    nonce: str = ""
    set_id: str = ""
