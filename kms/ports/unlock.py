"""What opens the pool without a person: a device that keeps the pool's passphrase."""

from __future__ import annotations

from typing import Protocol


class UnlockToken(Protocol):
    """Keeps the passphrase so that only the device can give it back."""

    @property
    def name(self) -> str:
        """The backend's name."""
        ...

    def keep(self, passphrase: bytes) -> None:
        """Have the device encrypt ``passphrase``, and keep the result; raise ``BackendFault``."""
        ...

    def passphrase(self) -> bytes | None:
        """Return what was kept, None if nothing was; raise ``PoolLocked`` if it can't be had."""
        ...
