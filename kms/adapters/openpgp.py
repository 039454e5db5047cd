"""OpenPGP by GnuPG, through python-gnupg.

Each question gets a private home of its own (mode 0700, removed afterwards, its agent ended):
no keyring outlives the answer, so tenants never meet in one, and another node or a restored
home needs nothing but the database. At most ``_AT_ONCE`` questions run; each has a time limit.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kms.errors.openpgp import OpenPgpUnavailable, PartnerKeyRejected
from kms.models.openpgp import (
    MAX_PARTNER_KEY,
    OpenPgpAlgorithm,
    OpenPgpIdentity,
    OpenPgpSecret,
)
from secops.kernel.clock import SECOND
from secops.kernel.errors import TooMany

if TYPE_CHECKING:
    import gnupg

_AT_ONCE: Final = 4
_PATIENCE: Final = 30.0
_MAX_MEMORY: Final = 512 << 20
_RETRY_SECONDS: Final = 5
_OPTIONS: Final = (
    "--no-options",
    "--no-auto-key-locate",
    "--no-auto-key-import",
    "--no-auto-key-retrieve",
    "--disable-dirmngr",
    "--digest-algo=SHA512",
    "--cert-digest-algo=SHA512",
    "--personal-cipher-preferences=AES256",
    "--cipher-algo=AES256",
    "--compress-algo=none",  # what is secret must not be told by how well it packs
    "--no-emit-version",
    "--no-comments",
)
_VALID: Final = "2y"
_GENERATION: Final[dict[OpenPgpAlgorithm, dict[str, str | int]]] = {
    "ed25519": {"key_type": "EDDSA", "key_curve": "ed25519"},
    "rsa-3072": {"key_type": "RSA", "key_length": 3072},
}
_RSA: Final = "1"
_CURVES: Final = {"18": "ECDH", "19": "ECDSA", "22": "EdDSA", "25": "X25519", "26": "X448"}
_NAMES: Final = {"1": "RSA", **_CURVES}
_MIN_RSA: Final = 2_048
_UNUSABLE: Final = frozenset("eird")
"""What gpg's validity letter says of a key: expired, invalid, revoked, disabled."""


class GnuPg:
    """Asks gpg; safe in any number of threads. Raises ``TooMany`` where all places are taken."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def make_key(
        self, name: str, email: str, algorithm: OpenPgpAlgorithm, passphrase: str
    ) -> tuple[OpenPgpIdentity, str, OpenPgpSecret]:
        """Return a new signing key: what it is, its public key in armour, its secret."""
        with self._private() as gpg:
            wanted = gpg.gen_key_input(
                **_GENERATION[algorithm],
                key_usage="sign",
                name_real=name,
                name_email=email,
                expire_date=_VALID,
                passphrase=passphrase,
            )
            fingerprint = _done(gpg.gen_key(wanted)).fingerprint
            public = gpg.export_keys(fingerprint)
            secret = gpg.export_keys(fingerprint, secret=True, passphrase=passphrase)
            if not public or not secret:
                raise OpenPgpUnavailable
            listed = gpg.list_keys()[0]
        return _identity(listed, algorithm), public, OpenPgpSecret(secret, passphrase)

    def read_public_key(self, armored: bytes) -> OpenPgpIdentity:
        """Return what a partner's key says; raise ``PartnerKeyRejected`` unless it can be used."""
        if len(armored) > MAX_PARTNER_KEY:
            msg = f"a public key has at most {MAX_PARTNER_KEY} bytes"
            raise PartnerKeyRejected(msg)
        with self._private() as gpg:
            # only looked at: what it holds besides public keys never enters a keyring
            found = list(gpg.scan_keys_mem(armored))
        if len(found) != 1 or found[0]["type"] != "pub":
            msg = "the file holds exactly one public key, and no secret one"
            raise PartnerKeyRejected(msg)
        return _checked(found[0])

    def protect(self, content: bytes, secret: OpenPgpSecret, partners: Sequence[str]) -> bytes:
        """Return ``content`` signed by ``secret`` and encrypted to ``partners``' public keys."""
        with self._private() as gpg:
            signer = _imported(gpg, secret.armored)
            recipients = [_imported(gpg, public) for public in partners]
            answer = gpg.encrypt(
                content,
                recipients,
                sign=signer,
                passphrase=secret.passphrase,
                armor=False,
                always_trust=True,  # the approval of a fingerprint is the trust, not a web of it
            )
            return bytes(_done(answer).data)

    def sign(self, content: bytes, secret: OpenPgpSecret) -> bytes:
        """Return a detached signature in armour."""
        with self._private() as gpg:
            signer = _imported(gpg, secret.armored)
            answer = gpg.sign(content, keyid=signer, passphrase=secret.passphrase, detach=True)
            if not answer.fingerprint:
                raise OpenPgpUnavailable
            return bytes(answer.data)

    @contextmanager
    def _private(self) -> Iterator[gnupg.GPG]:
        """Yield gpg over an empty home, which ends with the block."""
        if not self._places.acquire(timeout=_PATIENCE):
            msg = "too many OpenPGP messages are being made"
            raise TooMany(msg, retry_after=_RETRY_SECONDS)
        try:
            home = tempfile.mkdtemp(prefix="secops-gpg-")
            try:
                yield _open(home)
            finally:
                _end(home)
        finally:
            self._places.release()


def _open(home: str) -> gnupg.GPG:
    import gnupg  # noqa: PLC0415 - only who protects exports needs it

    # it logs the beginnings of what it is given
    gnupg.logger.disabled = True

    class Limited(gnupg.GPG):  # type: ignore[misc] # the library has no types
        """A gpg that is ended when it takes too long: whatever it was asked then failed."""

        def _open_subprocess(self, args: list[str], passphrase: bool = False) -> Any:  # noqa: FBT001, FBT002 - the library's own signature
            process = super()._open_subprocess(args, passphrase)
            # a packet may unpack to much more than it is
            resource.prlimit(process.pid, resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
            timer = threading.Timer(_PATIENCE, process.kill)
            timer.daemon = True
            timer.start()
            wait = process.wait

            def waited(timeout: float | None = None) -> int:
                timer.cancel()
                return int(wait(timeout))

            process.wait = waited
            return process

    try:
        return Limited(gnupghome=home, options=list(_OPTIONS), encoding="utf-8")
    except (OSError, ValueError) as error:
        msg = "gpg can't be run"
        raise OpenPgpUnavailable(msg) from error


def _end(home: str) -> None:
    """End the home's agent and remove the home."""
    gpgconf = shutil.which("gpgconf")
    if gpgconf is not None:
        subprocess.run(  # noqa: S603 - our own folder, nothing of the caller
            [gpgconf, "--homedir", home, "--kill", "all"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    shutil.rmtree(home, ignore_errors=True)


def _imported(gpg: gnupg.GPG, armored: str) -> str:
    """Return the fingerprint of the one key in ``armored``, now in the keyring."""
    answer = gpg.import_keys(armored)
    fingerprints = set(answer.fingerprints)
    if len(fingerprints) != 1:
        raise OpenPgpUnavailable
    return str(fingerprints.pop())


def _done(answer: Any) -> Any:
    """Return ``answer`` if gpg did what it was asked; its words never leave: they name paths."""
    if getattr(answer, "ok", True) and answer.status != "key not created" and answer:
        return answer
    msg = "gpg refused"
    raise OpenPgpUnavailable(msg)


def _checked(listed: dict[str, Any]) -> OpenPgpIdentity:
    """Return the identity of a key that can be encrypted to."""
    if listed["trust"][:1] in _UNUSABLE or "D" in listed["cap"]:
        msg = "the key is expired, revoked or disabled"
        raise PartnerKeyRejected(msg)
    parts = [listed, *listed.get("subkey_info", {}).values()]
    for part in parts:
        weak = part["algo"] == _RSA and int(part["length"]) < _MIN_RSA
        if weak or part["algo"] not in _NAMES:
            msg = "a part of the key is weak or of an outdated algorithm"
            raise PartnerKeyRejected(msg)
    if "E" not in listed["cap"]:  # capital: what the usable parts of the whole key can do
        msg = "the key can't encrypt"
        raise PartnerKeyRejected(msg)
    kind = _NAMES[listed["algo"]]
    return _identity(listed, f"{kind}-{listed['length']}" if kind == "RSA" else kind)


def _identity(listed: dict[str, Any], algorithm: str) -> OpenPgpIdentity:
    expires = listed["expires"]
    user_ids = listed["uids"] or ["?"]
    return OpenPgpIdentity(
        fingerprint=listed["fingerprint"],
        user_id=user_ids[0],
        algorithm=algorithm,
        expires_at=int(expires) * SECOND if expires else None,
    )
