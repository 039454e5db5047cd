"""OpenPGP without gpg: messages say who signed what for whom, in JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from kms.errors.openpgp import PartnerKeyRejected
from kms.models.openpgp import OpenPgpAlgorithm, OpenPgpIdentity, OpenPgpSecret
from secops.kernel.clock import DAY
from tests.fakes.clock import START

EXPIRES = START + 700 * DAY


class FakeOpenPgp:
    def __init__(self) -> None:
        self.made = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def make_key(
        self, name: str, email: str, algorithm: OpenPgpAlgorithm, passphrase: str
    ) -> tuple[OpenPgpIdentity, str, OpenPgpSecret]:
        self.made += 1
        identity = OpenPgpIdentity(f"{self.made:040X}", f"{name} <{email}>", algorithm, EXPIRES)
        return identity, f"public {self.made}", OpenPgpSecret(f"secret {self.made}", passphrase)

    def read_public_key(self, armored: bytes) -> OpenPgpIdentity:
        if not armored.startswith(b"partner"):
            raise PartnerKeyRejected
        number = int(armored.removeprefix(b"partner "))
        return OpenPgpIdentity(f"{number:040X}", f"Partner {number}", "ECDH", EXPIRES)

    def protect(self, content: bytes, secret: OpenPgpSecret, partners: Sequence[str]) -> bytes:
        self.meanwhile()
        return orjson.dumps([content.decode(), secret.armored, list(partners)])

    def sign(self, content: bytes, secret: OpenPgpSecret) -> bytes:
        self.meanwhile()
        return orjson.dumps([content.decode(), secret.armored])
