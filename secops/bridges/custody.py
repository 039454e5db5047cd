"""The key that signs chains of custody; it lies in the pool and is made when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kms.errors.keys import (
    PoolLocked,
    PoolUninitialised,
    UnlockFileUnsafe,
    WrongPassphrase,
)
from kms.service import KmsServices
from kms.service.system_keys import SystemSigner
from playbooks.errors.custody import CustodySignerLocked
from playbooks.models.custody import CustodySignature
from secops.bridges.keys import CUSTODY, SYSTEM_KEYS

_CLOSED: Final = (PoolLocked, PoolUninitialised, UnlockFileUnsafe, WrongPassphrase)


class PoolCustodySigner:
    """Implements ``playbooks.ports.custody.CustodySigner`` with an SM2 key of the pool."""

    def __init__(self, kms: KmsServices) -> None:
        self._kms = kms
        self._made: SystemSigner | None = None

    def sign_custody(self, message: bytes) -> CustodySignature:
        """Return the signature; raise ``CustodySignerLocked``."""
        try:
            signer = self._signer()
            latest = signer.public_keys()[-1]
            value = signer.sign_as(latest.version, message)
        except _CLOSED as error:
            raise CustodySignerLocked(error.detail) from error
        return CustodySignature(latest.fingerprint, value.hex())

    def custody_keys(self) -> Mapping[str, bytes]:
        """Return the public keys that still count, by SHA-256 of their SPKI; as above."""
        try:
            return {key.fingerprint: key.der for key in self._signer().public_keys()}
        except _CLOSED as error:
            raise CustodySignerLocked(error.detail) from error

    def _signer(self) -> SystemSigner:
        if self._made is None:
            self._made = self._kms.system_keys.signer(CUSTODY, SYSTEM_KEYS[CUSTODY])
        return self._made
