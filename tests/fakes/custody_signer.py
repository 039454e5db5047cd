"""An SM2 key in memory that signs chains of custody; ``locked`` as a pool can be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from playbooks.errors.custody import CustodySignerLocked
from playbooks.models.custody import CustodySignature
from secops.crypto import signatures
from secops.crypto.options import DEFAULT


class FakeCustodySigner:
    def __init__(self) -> None:
        self._key = signatures.private_key("sm2", signatures.generate("sm2"))
        self.locked = False

    def sign_custody(self, message: bytes) -> CustodySignature:
        if self.locked:
            raise CustodySignerLocked
        (kid,) = self.custody_keys()
        return CustodySignature(kid, self._key.sign(message, DEFAULT).hex())

    def custody_keys(self) -> Mapping[str, bytes]:
        if self.locked:
            raise CustodySignerLocked
        der = self._key.public_key.der
        return {hashlib.sha256(der).hexdigest(): der}
