"""What signatures need of a time-stamp authority: a token over a digest."""

from __future__ import annotations

from typing import Protocol


class TimeStamps(Protocol):
    """An authority that says: this was there by now."""

    def stamp(self, hash_name: str, digest: bytes) -> bytes:
        """Return a TimeStampToken (RFC 3161) in DER over ``digest`` by ``hash_name``.

        ``hash_name`` is sha256, sha384, sha512 or sm3; a token over SM3 is signed with SM2.
        Raises ``Invalid`` for another hash or length, ``TimeStampUnavailable``,
        ``PoolLocked``, ``AuditUnavailable``.
        """
        ...
