"""The key that signs chains of custody; it lies in the pool and is made when first needed."""

from __future__ import annotations

from collections.abc import Mapping

from kms.service import KmsServices
from playbooks.errors.custody import CustodySignerLocked
from playbooks.models.custody import CustodySignature
from secops.bridges.keys import CLOSED_POOL, CUSTODY, Signers


class PoolCustodySigner:
    """Implements ``playbooks.ports.custody.CustodySigner`` with an SM2 key of the pool."""

    def __init__(self, kms: KmsServices) -> None:
        self._signers = Signers(kms)

    def sign_custody(self, message: bytes) -> CustodySignature:
        """Return the signature; raise ``CustodySignerLocked``."""
        try:
            signer = self._signers.get(CUSTODY)
            latest = signer.public_keys()[-1]
            value = signer.sign_as(latest.version, message)
        except CLOSED_POOL as error:
            raise CustodySignerLocked(error.detail) from error
        return CustodySignature(latest.fingerprint, value.hex())

    def custody_keys(self) -> Mapping[str, bytes]:
        """Return the public keys that still count, by SHA-256 of their SPKI; as above."""
        try:
            return {key.fingerprint: key.der for key in self._signers.get(CUSTODY).public_keys()}
        except CLOSED_POOL as error:
            raise CustodySignerLocked(error.detail) from error
