"""Keys of the pool for the other planes: tokens, secrets, checkpoints, reports.

A key is made when it is first needed, which takes an unlocked pool; so nothing here touches
the pool before it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import Final

from audits.errors import SignerLocked
from audits.models import CheckpointKeys
from audits.models.reports import ReportSignature
from detectors.errors import ModelRejected
from iam.errors import MandateRefused
from iam.ports import SigningKey
from kms.errors.keys import (
    MaterialTampered,
    PoolLocked,
    PoolUninitialised,
    UnlockFileUnsafe,
    WrongPassphrase,
)
from kms.service import KmsServices
from kms.service.system_keys import SystemBox, SystemPublicKey, SystemSigner
from secops.crypto import signatures as crypto
from secops.crypto.errors import InvalidSignature, MalformedEncoding
from secops.crypto.options import DEFAULT
from secops.kernel.clock import DAY, Clock
from secops.kernel.errors import SecopsError, Unavailable

TOKENS: Final = "iam-tokens"
TOKENS_SM2: Final = "iam-tokens-sm2"
CHECKPOINT_ED25519: Final = "ledger-ed25519"
CHECKPOINT_SM2: Final = "ledger-sm2"
REPORT_SM2: Final = "report-sm2"
REPORT_P256: Final = "report-p256"
MODEL_SM2: Final = "model-sm2"
MODEL_P256: Final = "model-p256"
PEPPER: Final = "iam-pepper"
MANDATES: Final = "iam-mandates"
PLAYBOOKS_SM2: Final = "playbooks-sm2"
CUSTODY: Final = "custody-sm2"
LOG_SUBJECTS: Final = "log-subjects"
LOG_ORIGINALS: Final = "log-originals"
SYSTEM_KEYS: Final = {
    TOKENS: "ecdsa-p256",
    TOKENS_SM2: "sm2",
    CHECKPOINT_ED25519: "ed25519",
    CHECKPOINT_SM2: "sm2",
    REPORT_SM2: "sm2",
    REPORT_P256: "ecdsa-p256",
    MODEL_SM2: "sm2",
    MODEL_P256: "ecdsa-p256",
    MANDATES: "sm2",
    PLAYBOOKS_SM2: "sm2",
    CUSTODY: "sm2",
}
MODEL_KEYS: Final = {
    "sm2-sm3": MODEL_SM2,
    "ecdsa-p256-sha256": MODEL_P256,
}
PUBLISHED_BEFORE_USE: Final = DAY
CLOSED_POOL: Final = (PoolLocked, PoolUninitialised, UnlockFileUnsafe, WrongPassphrase)
_ED25519_LENGTH: Final = 32
_POINT_LENGTH: Final = 65


class Signers:
    """Signers of ``SYSTEM_KEYS`` by name, each made at most once a process."""

    def __init__(self, kms: KmsServices) -> None:
        self._kms = kms
        self._made: dict[str, SystemSigner] = {}

    def get(self, name: str) -> SystemSigner:
        """Return the signer; its key is made when it is first needed. Raises ``CLOSED_POOL``."""
        signer = self._made.get(name)
        if signer is None:
            signer = self._made[name] = self._kms.system_keys.signer(name, SYSTEM_KEYS[name])
        return signer


class PoolTokenSigner:
    """Implements ``iam.ports.TokenSigner`` with a key of the pool: P-256, or SM2.

    A new version is published a day before it signs: whoever keeps our keys for less than
    that never meets a signature by a key they don't have. Old ones stay published.
    """

    def __init__(self, kms: KmsServices, clock: Clock, name: str = TOKENS) -> None:
        self._kms = kms
        self._clock = clock
        self._name = name
        self._signers = Signers(kms)

    def keys(self) -> Sequence[SigningKey]:
        """Return the public keys: the one that signs, then the others, newest first."""
        found = sorted(self._published(), key=lambda key: key.version, reverse=True)
        since = self._clock.now() - PUBLISHED_BEFORE_USE
        signing = next((key for key in found if key.created_at <= since), found[-1])
        ordered = [signing, *(key for key in found if key.version != signing.version)]
        return [SigningKey(str(key.version), key.der) for key in ordered]

    def sign(self, name: str, message: bytes) -> bytes:
        """Return the DER signature; raise ``Conflict`` if ``name`` no longer signs."""
        return self._signer().sign_as(int(name), message)

    def renew(self, before: int) -> bool:
        """Make a new version if the newest is from before; True if it was made."""
        if self._published()[-1].created_at >= before:
            return False
        self._kms.system_keys.rotate_signer(self._name)
        return True

    def _published(self) -> Sequence[SystemPublicKey]:
        return self._signer().public_keys()

    def _signer(self) -> SystemSigner:
        return self._signers.get(self._name)


def sm2_token_signer(kms: KmsServices, clock: Clock, profile: str) -> PoolTokenSigner | None:
    """Return what signs the tokens of clients that ask for SM2; None outside profile gm."""
    return PoolTokenSigner(kms, clock, TOKENS_SM2) if profile == "gm" else None


class PoolMandateSigner:
    """Implements ``iam.ports.MandateSigner`` with an SM2 key of the pool."""

    def __init__(self, kms: KmsServices) -> None:
        self._signers = Signers(kms)

    def sign_mandate(self, message: bytes) -> bytes:
        """Return the DER signature; raise a ``SecopsError`` while the pool is locked."""
        return self._signers.get(MANDATES).sign(message)

    def verify_mandate(self, message: bytes, signature: bytes) -> None:
        """Raise ``MandateRefused`` unless it fits, by a version that still counts."""
        keys = self._signers.get(MANDATES).public_keys()
        if not any(_fits(key, signature, message) for key in keys):
            raise MandateRefused("the signature of the mandate does not fit")


class PoolSecretBox:
    """Implements the planes' ``SecretBox`` with the pool's custody.

    What is sealed for one ``domain`` doesn't open in another.
    """

    def __init__(self, kms: KmsServices, domain: bytes = b"iam.secret") -> None:
        self._kms = kms
        self._domain = domain + b"\x00"

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return ``plaintext`` wrapped by the root key and bound to ``aad``."""
        return self._kms.pool.require_unlocked().wrap(plaintext, self._domain + aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed with the same ``aad``."""
        return self._kms.pool.require_unlocked().unwrap(sealed, self._domain + aad)


class PoolKeyedHash:
    """Implements ``iam.ports.KeyedHash``: HMAC under a key of the pool."""

    def __init__(self, kms: KmsServices) -> None:
        self._kms = kms

    def __call__(self, data: bytes) -> bytes:
        """Return 32 bytes that only the pool can compute of ``data``."""
        return self._kms.system_keys.keyed_hash(PEPPER)(data)


class PoolPrivacyKeys:
    """Implements ``detectors.ports.PrivacyKeys`` with two keys of the pool."""

    def __init__(self, kms: KmsServices) -> None:
        self._kms = kms

    def ready(self) -> bool:
        """Whether the pool is unlocked."""
        try:
            self._kms.pool.require_unlocked()
        except CLOSED_POOL:
            return False
        return True

    def digest(self, data: bytes) -> bytes:
        """Return 32 bytes that only the pool can compute of ``data``."""
        return self._digests(data)

    def seal(self, original: bytes, event_id: str) -> bytes:
        """Return ``original`` encrypted and bound to ``event_id``."""
        return self._box.seal(original, event_id.encode())

    def open(self, sealed: bytes, event_id: str) -> bytes:
        """Return what was sealed for ``event_id``; raise ``DecryptionFailed``."""
        return self._box.open(sealed, event_id.encode())

    @cached_property
    def _digests(self) -> Callable[[bytes], bytes]:
        return self._kms.system_keys.keyed_hash(LOG_SUBJECTS)

    @cached_property
    def _box(self) -> SystemBox:
        return self._kms.system_keys.box(LOG_ORIGINALS)


class PoolCheckpointSigner:
    """Implements ``audits.ports.CheckpointSigner`` with an Ed25519 and an SM2 key."""

    def __init__(self, kms: KmsServices) -> None:
        self._signers = Signers(kms)

    def keys(self) -> Sequence[CheckpointKeys]:
        """Return the public keys of all versions, the signing ones first."""
        try:
            ed25519 = self._signers.get(CHECKPOINT_ED25519).public_keys()
            sm2 = self._signers.get(CHECKPOINT_SM2).public_keys()
        except CLOSED_POOL as error:
            raise SignerLocked(error.detail) from error
        return _paired(ed25519, sm2)

    def sign_ed25519(self, message: bytes) -> bytes:
        """Return the signature; raise ``SignerLocked``."""
        return self._sign(CHECKPOINT_ED25519, message)

    def sign_sm2(self, message: bytes) -> bytes:
        """Return the DER signature; raise ``SignerLocked``."""
        return self._sign(CHECKPOINT_SM2, message)

    def _sign(self, name: str, message: bytes) -> bytes:
        try:
            return self._signers.get(name).sign(message)
        except CLOSED_POOL as error:
            raise SignerLocked(error.detail) from error


def _paired(
    ed25519: Sequence[SystemPublicKey], sm2: Sequence[SystemPublicKey]
) -> list[CheckpointKeys]:
    """Pair versions newest first; where one key was rotated more often, the other repeats."""
    edwards = [key.der[-_ED25519_LENGTH:] for key in reversed(ed25519)]
    points = [key.der[-_POINT_LENGTH:] for key in reversed(sm2)]
    return [
        CheckpointKeys(one or edwards[-1], other or points[-1])
        for one, other in zip_longest(edwards, points)
    ]


class PoolReportSigner:
    """Implements ``audits.ports.ReportSigner``: each report is signed by SM2 and by P-256."""

    def __init__(self, kms: KmsServices) -> None:
        self._signers = Signers(kms)

    def sign_report(self, message: bytes) -> Sequence[ReportSignature]:
        """Return both signatures."""
        return [
            self._sign("sm2-sm3", REPORT_SM2, message),
            self._sign("ecdsa-p256-sha256", REPORT_P256, message),
        ]

    def _sign(self, algorithm: str, name: str, message: bytes) -> ReportSignature:
        signer = self._signers.get(name)
        return ReportSignature(algorithm, signer.kid, signer.public_key_der, signer.sign(message))


class PoolModelSigner:
    """Implements ``detectors.ports.ModelSigner``: each model is signed by SM2 and by P-256."""

    def __init__(self, kms: KmsServices) -> None:
        self._signers = Signers(kms)

    def sign_model(self, message: bytes) -> Mapping[str, str]:
        """Return both signatures, hex; raise a ``SecopsError`` while the pool is locked."""
        return {
            algorithm: self._signers.get(name).sign(message).hex()
            for algorithm, name in MODEL_KEYS.items()
        }

    def verify_model(self, message: bytes, signatures: Mapping[str, str]) -> None:
        """Raise ``ModelRejected`` unless both fit, each by a version that still counts.

        Raises ``Unavailable`` where the keys can't be read now: that says nothing of the model.
        """
        if set(signatures) != set(MODEL_KEYS):
            raise ModelRejected("the model is not signed by both keys")
        for algorithm, name in MODEL_KEYS.items():
            try:
                signature = bytes.fromhex(signatures[algorithm])
            except ValueError as error:
                raise ModelRejected(f"the model's {algorithm} signature is not hex") from error
            try:
                keys = self._signers.get(name).public_keys()
            except SecopsError as error:
                raise Unavailable("models can't be verified now") from error
            if not any(_fits(key, signature, message) for key in keys):
                raise ModelRejected(f"the model's {algorithm} signature does not fit")


def _fits(key: SystemPublicKey, signature: bytes, message: bytes) -> bool:
    try:
        crypto.public_key(key.algorithm, key.der).verify(signature, message, DEFAULT)
    except (InvalidSignature, MalformedEncoding):
        return False
    return True


def damaged_system_keys(kms: KmsServices) -> int:
    """Return how many of the product's own keys no longer open under the root key."""
    damaged = 0
    for name, kind in SYSTEM_KEYS.items():
        try:
            kms.system_keys.signer(name, kind).public_keys()
        except MaterialTampered:
            damaged += 1
    return damaged
