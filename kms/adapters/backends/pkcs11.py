"""Keys in a PKCS#11 token (OASIS PKCS #11 v2.40): made there, and never out of it.

Digests are computed here and signed there. A token that offers no SM2 makes no SM2 keys: the
Debian package SoftHSM2 has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kms.adapters.backends.digests import digest_info, digest_of
from kms.adapters.backends.lane import TimedLane
from kms.adapters.backends.pkcs11_sessions import Session, TokenSessions
from kms.errors.backends import (
    BackendFault,
    BackendRefused,
    BackendTimeout,
    BackendUnsupported,
    BackendWrongAnswer,
)
from kms.errors.keys import NotExportable
from kms.models.backends import LABEL, BackendOptions, HeldObject, MadeObject, NewObject
from secops.crypto import ciphers, ecdsa, rsa, signatures
from secops.crypto.errors import DecryptionFailed, InvalidKey, InvalidSignature
from secops.crypto.hashes import sha256
from secops.crypto.options import DEFAULT, SignatureOptions
from secops.kernel.ids import Randomness

T = TypeVar("T")

_CURVES: Final = {"ecdsa-p256": "secp256r1", "ecdsa-p384": "secp384r1"}
_RSA_BITS: Final = {"rsa-3072": 3_072}
_AES_BITS: Final = {"aes256-gcm": 256, "aes128-gcm": 128}
_MECHANISMS: Final = {
    **dict.fromkeys(_CURVES, "ECDSA"),
    **dict.fromkeys(_RSA_BITS, "RSA_PKCS_PSS"),
    **dict.fromkeys(_AES_BITS, "AES_GCM"),
}
_TAG_BITS: Final = 128
_MAKING: Final = 6.0
_CHECKED: Final = b"kms health check"
_CHECK_ALGORITHM: Final = "ecdsa-p256"


class Pkcs11Backend:
    """One token. Safe in any number of threads; sessions are opened when first needed."""

    def __init__(self, options: BackendOptions, randomness: Randomness) -> None:
        self.options = options
        self._randomness = randomness
        self._sessions = TokenSessions(options.library, options.token, options.secret)
        self._lane = TimedLane(options.name, limit=options.time_limit, width=options.sessions)
        self._algorithms: frozenset[str] | None = None

    @property
    def algorithms(self) -> frozenset[str]:
        """What the token's mechanisms allow; none while it can't be asked."""
        if self._algorithms is None:
            try:
                found = self._mechanisms()
            except BackendFault:
                return frozenset()
            names = {getattr(each, "name", "") for each in found}
            self._algorithms = frozenset(
                algorithm for algorithm, name in _MECHANISMS.items() if name in names
            )
        return self._algorithms

    def generate(self, wish: NewObject, material: bytes | None = None) -> MadeObject:
        """Make the key in the token, or put ``material`` there: sensitive, not extractable."""
        if wish.algorithm not in self.algorithms:
            msg = f"the token {self.options.token} makes no {wish.algorithm}"
            raise BackendUnsupported(msg)
        make = _generate if material is None else _put

        def work(session: Session) -> bytes:
            return make(session.session, wish, material or b"")

        return MadeObject(self._once(work, patience=_MAKING), wish.label.encode())

    def private_key(self, held: HeldObject) -> TokenPrivateKey:
        """Return what signs in the token."""
        return TokenPrivateKey(self, held)

    def cipher(self, held: HeldObject) -> TokenCipher:
        """Return what encrypts in the token; raise ``BackendUnsupported`` for a signing key."""
        if held.algorithm not in _AES_BITS:
            msg = f"a token's key of type {held.algorithm} signs only"
            raise BackendUnsupported(msg)
        return TokenCipher(self, held, self._randomness)

    def erase(self, label: str) -> bool:
        """Destroy all objects of ``label``; tell whether there was one."""
        if not label.startswith(LABEL):
            raise BackendUnsupported("only our own objects are erased")

        def work(session: Session) -> bool:
            from pkcs11 import Attribute  # noqa: PLC0415 - heavy

            found = list(session.session.get_objects({Attribute.ID: _id(label)}))
            for each in found:
                each.destroy()
            return bool(found)

        return self._run(work)

    def slot_key(self, slot: int) -> bytes:
        """Raise ``BackendUnsupported``: objects in a token have labels."""
        raise BackendUnsupported(f"there is no index {slot} in a token")

    def check(self) -> None:
        """Sign with a pair of a session's life; where that fails, try a fresh library."""
        try:
            self._check()
        except BackendFault:
            self._lane.run(self._sessions.renew)
            self._check()

    def close(self) -> None:
        """Close the sessions."""
        self._sessions.forget()

    def sign(self, held: HeldObject, message: bytes, options: SignatureOptions) -> bytes:
        """Return the token's signature of ``message``: DER for ECDSA."""
        digest = digest_of(message, options)
        algorithm = held.algorithm

        def work(session: Session) -> bytes:
            key = _find(session, held, "PRIVATE_KEY")
            return _sign(key, algorithm, digest, options)

        return self._run(work)

    def seal(self, held: HeldObject, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Return ciphertext ‖ tag."""

        def work(session: Session) -> bytes:
            key = _find(session, held, "SECRET_KEY")
            return bytes(key.encrypt(plaintext, **_gcm(nonce, aad)))

        return self._run(work)

    def unseal(self, held: HeldObject, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Return the plaintext; raise ``DecryptionFailed``.

        Tokens have no common word for a wrong tag, some say "general error": one that still
        opens what it seals itself is well, and the ciphertext is to blame.
        """

        def work(session: Session) -> bytes:
            from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415 - heavy

            key = _find(session, held, "SECRET_KEY")
            try:
                return bytes(key.decrypt(sealed, **_gcm(nonce, aad)))
            except PKCS11Error:
                fresh = self._randomness.bytes(ciphers.NONCE)
                own = bytes(key.encrypt(_CHECKED, **_gcm(fresh, b"")))
                if bytes(key.decrypt(own, **_gcm(fresh, b""))) != _CHECKED:
                    raise
                raise DecryptionFailed from None

        return self._run(work)

    def _mechanisms(self) -> frozenset[Any]:
        try:
            return self._lane.run(self._sessions.mechanisms)
        except BackendFault:
            self.check()  # a token that came after the library was initialised
            return self._lane.run(self._sessions.mechanisms)

    def _check(self) -> None:
        def work(session: Session) -> tuple[bytes, bytes]:
            public, private = _pair(session.session, _CHECK_ALGORITHM, {"store": False})
            digest = digest_of(_CHECKED, DEFAULT)
            return public, _sign(private, _CHECK_ALGORITHM, digest, DEFAULT)

        self._lane.run(self._sessions.probe)
        spki, signature = self._run(work)
        try:
            signatures.public_key(_CHECK_ALGORITHM, spki).verify(signature, _CHECKED, DEFAULT)
        except InvalidSignature as error:
            msg = f"{self.options.name}: the check's signature is wrong"
            raise BackendWrongAnswer(msg) from error

    def _run(self, work: Callable[[Session], T]) -> T:
        """Do ``work``, which may be done twice: a session may have ended, the token been reset."""
        try:
            return self._once(work)
        except (BackendTimeout, BackendRefused):
            raise
        except BackendFault:
            return self._once(work)

    def _once(self, work: Callable[[Session], T], *, patience: float = 1.0) -> T:
        def inside() -> T:
            with self._sessions.session() as session:
                return work(session)

        return self._lane.run(inside, patience=patience)


@dataclass(frozen=True, slots=True)
class TokenPrivateKey:
    """A key that signs in its token."""

    backend: Pkcs11Backend
    held: HeldObject

    @property
    def public_key(self) -> signatures.PublicKey:
        """The public half, our engine's."""
        return signatures.public_key(self.held.algorithm, self.held.public_key)

    @property
    def der(self) -> bytes:
        """Raise ``NotExportable``."""
        raise NotExportable("the key's material is in a token")

    def sign(self, message: bytes, options: SignatureOptions) -> bytes:
        """Return the signature of ``message``; nobody has verified it yet."""
        return self.backend.sign(self.held, message, options)


@dataclass(frozen=True, slots=True)
class TokenCipher:
    """A key that encrypts in its token; nonces are ours."""

    backend: Pkcs11Backend
    held: HeldObject
    randomness: Randomness

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag."""
        nonce = self.randomness.bytes(ciphers.NONCE)
        return nonce + self.backend.seal(self.held, nonce, plaintext, aad)

    def unseal(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the plaintext; raise ``DecryptionFailed``."""
        if len(sealed) < ciphers.NONCE + _TAG_BITS // 8:
            raise DecryptionFailed
        nonce, rest = sealed[: ciphers.NONCE], sealed[ciphers.NONCE :]
        return self.backend.unseal(self.held, nonce, rest, aad)


def _id(label: str) -> bytes:
    return sha256(label.encode())[:20]


def _find(session: Session, held: HeldObject, kind: str) -> Any:
    from pkcs11 import ObjectClass  # noqa: PLC0415 - heavy

    label = held.reference.decode("ascii", "replace")
    found = session.handles.get((kind, label))
    if found is None:
        found = session.session.get_key(object_class=ObjectClass[kind], id=_id(label))
        session.handles[kind, label] = found
    return found


def _sign(key: Any, algorithm: str, digest: bytes, options: SignatureOptions) -> bytes:
    from pkcs11 import MGF, Mechanism  # noqa: PLC0415 - heavy

    if algorithm in _CURVES:
        raw = bytes(key.sign(digest, mechanism=Mechanism.ECDSA))
        return signatures.from_raw(algorithm, raw)
    if options.padding == "pkcs1v15":
        info = digest_info(options.hash_name, digest)
        if info is None:
            msg = f"PKCS#1 v1.5 has no {options.hash_name} in a token"
            raise BackendUnsupported(msg)
        return bytes(key.sign(info, mechanism=Mechanism.RSA_PKCS))
    name = options.hash_name.upper()
    if name not in MGF.__members__:
        msg = f"PSS has no {options.hash_name} in a token"
        raise BackendUnsupported(msg)
    salt = len(digest) if options.salt_length is None else options.salt_length
    if salt > (key.key_length + 7) // 8 - len(digest) - 2:
        raise InvalidKey("these options don't fit the key")
    parameters = (Mechanism[name], MGF[name], salt)
    return bytes(key.sign(digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=parameters))


def _gcm(nonce: bytes, aad: bytes) -> dict[str, Any]:
    from pkcs11 import GCMParams, Mechanism  # noqa: PLC0415 - heavy

    parameters = GCMParams(nonce, aad or None, _TAG_BITS)
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": parameters}


def _closed() -> dict[Any, Any]:
    """Return the attributes of a key that stays where it is."""
    from pkcs11 import Attribute  # noqa: PLC0415 - heavy

    return {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}


def _pair(session: Any, algorithm: str, where: dict[str, Any]) -> tuple[bytes, Any]:
    """Make a pair; return its SPKI and the private key."""
    from pkcs11 import Attribute, KeyType  # noqa: PLC0415 - heavy
    from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

    if algorithm in _RSA_BITS:
        public, private = session.generate_keypair(
            KeyType.RSA, _RSA_BITS[algorithm], private_template=_closed(), **where
        )
        n, e = public[Attribute.MODULUS], public[Attribute.PUBLIC_EXPONENT]
        spki = rsa.public_from_numbers(int.from_bytes(n, "big"), int.from_bytes(e, "big"))
        return spki, private
    named = {Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[algorithm])}
    domain = session.create_domain_parameters(KeyType.EC, named, local=True)
    public, private = domain.generate_keypair(private_template=_closed(), **where)
    return ecdsa.public_from_point(algorithm, _point(public[Attribute.EC_POINT])), private


def _point(encoded: bytes) -> bytes:
    """Return 04 ‖ x ‖ y of CKA_EC_POINT: a DER OCTET STRING, though some tokens give it bare."""
    bare = len(encoded) % 2 == 1 and encoded[:1] == b"\x04"
    if bare and encoded[1] != len(encoded) - 2:
        return encoded
    return encoded[2:]


def _generate(session: Any, wish: NewObject, _material: bytes) -> bytes:
    from pkcs11 import KeyType  # noqa: PLC0415 - heavy

    where = {"id": _id(wish.label), "label": wish.label, "store": True}
    if wish.algorithm in _AES_BITS:
        bits = _AES_BITS[wish.algorithm]
        session.generate_key(KeyType.AES, bits, template=_closed(), **where)
        return b""
    return _pair(session, wish.algorithm, where)[0]


def _put(session: Any, wish: NewObject, material: bytes) -> bytes:
    """Put ``material`` into the token; return the SPKI."""
    from pkcs11 import Attribute, KeyType, ObjectClass  # noqa: PLC0415 - heavy
    from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

    template = {
        **_closed(),
        Attribute.TOKEN: True,
        Attribute.ID: _id(wish.label),
        Attribute.LABEL: wish.label,
    }
    if wish.algorithm in _AES_BITS:
        template |= {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.AES,
            Attribute.VALUE: material,
            Attribute.ENCRYPT: True,
            Attribute.DECRYPT: True,
        }
        session.create_object(template)
        return b""
    template |= {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.SIGN: True}
    if wish.algorithm in _CURVES:
        template |= {
            Attribute.KEY_TYPE: KeyType.EC,
            Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[wish.algorithm]),
            Attribute.VALUE: ecdsa.private_scalar(wish.algorithm, material),
        }
    else:
        template |= {Attribute.KEY_TYPE: KeyType.RSA, **_rsa_attributes(material)}
    session.create_object(template)
    return signatures.private_key(wish.algorithm, material).public_key.der


def _rsa_attributes(material: bytes) -> dict[Any, bytes]:
    from pkcs11 import Attribute  # noqa: PLC0415 - heavy

    found = rsa.private_numbers(material)
    numbers = {
        Attribute.MODULUS: found.n,
        Attribute.PUBLIC_EXPONENT: found.e,
        Attribute.PRIVATE_EXPONENT: found.d,
        Attribute.PRIME_1: found.p,
        Attribute.PRIME_2: found.q,
        Attribute.EXPONENT_1: found.dp,
        Attribute.EXPONENT_2: found.dq,
        Attribute.COEFFICIENT: found.qi,
    }
    return {word: n.to_bytes((n.bit_length() + 7) // 8, "big") for word, n in numbers.items()}
