"""A whole chain of SM2 keys, and seals of every version made with it, sound or broken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from kms.core.gbt35276 import enveloped_keys
from kms.core.gbt38540.structures import SM2_WITH_SM3, Extension
from kms.core.rfc5280 import writing as x509
from kms.core.rfc5280.writing import CertificateContent, Name
from kms.core.x690 import elements
from kms.core.x690 import writing as der
from kms.errors.remote_seals import RemoteSealerAbsent
from kms.models.seal_receipts import LeafProof
from kms.models.seals import MARKING
from secops.crypto import ciphers, ecdsa, signatures
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.der import encode
from secops.crypto.hashes import sm3
from secops.crypto.options import DEFAULT, SignatureOptions
from secops.crypto.sm2 import DEFAULT_USER_ID, PrivateKey, PublicKey
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, SECOND, from_rfc3339, to_rfc3339
from tests.fakes.clock import START

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082"
)
DOCUMENT = "关于印发的通知".encode()
NOW = START + 10 * DAY


@cache
def rsa_key() -> bytes:
    """Return a key that all tests share: making one takes a second."""
    return signatures.generate("rsa-3072")


class FakeSealingKeys:
    """The pool's system keys, in memory; the signatures are real."""

    def __init__(self) -> None:
        self.keys: dict[str, PrivateKey] = {}
        self.p256: dict[str, bytes] = {}
        self.rsa: dict[str, bytes] = {}
        self.locked = False
        self.forgotten = 0

    def ensure_key(self, name: str, algorithm: str = "sm2") -> bytes:
        if algorithm == "ecdsa-p256":
            material = self.p256.setdefault(name, ecdsa.generate(algorithm))
            return signatures.private_key(algorithm, material).public_key.der
        if algorithm == "rsa-3072":
            self.rsa[name] = rsa_key()
            return signatures.private_key(algorithm, rsa_key()).public_key.der
        return self.keys.setdefault(name, PrivateKey.generate()).public_key.der

    def destroy_key(self, transaction: Any, actor: Actor, name: str) -> bool:
        gone = self.keys.pop(name, None) is not None
        return self.p256.pop(name, None) is not None or gone

    def forget(self) -> None:
        self.forgotten += 1

    def sign(self, name: str, message: bytes, options: SignatureOptions = DEFAULT) -> bytes:
        if name in self.p256:
            key = signatures.private_key("ecdsa-p256", self.p256[name])
            return key.sign(message, options)
        if name in self.rsa:
            return signatures.private_key("rsa-3072", self.rsa[name]).sign(message, options)
        return self.keys[name].sign(message)

    def hand_over(self, name: str, receiver: bytes) -> bytes:
        once, key = bytes(range(16)), self.keys[name]
        return enveloped_keys.enveloped_key(
            PublicKey(receiver).encrypt(once),
            key.public_key.point,
            ciphers.sm4_blocks(once, enveloped_keys.private_scalar(key.der)),
        )


class FakeSubjects:
    """Every name is an account of that name."""

    def resolve_subject(self, org_id: str, name: str) -> str:
        return f"client:{name}" if name.startswith("svc-") else f"account:{name}"

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        return frozenset({"seal-holder"})


class FakeRisks:
    """Callers are calm unless a test says otherwise."""

    def __init__(self) -> None:
        self.risk = 0

    def risk_of(self, actor: Actor) -> int:
        return self.risk


class FakePersons:
    """Every account is a person of its own, but those named together."""

    def __init__(self) -> None:
        self.same: set[frozenset[str]] = set()

    def same_person(self, transaction: Any, one: str, other: str) -> bool:
        return one == other or frozenset({one, other}) in self.same


class FakeLedgerProofs:
    """Proves what a test put there."""

    def __init__(self) -> None:
        self.proofs: dict[str, LeafProof] = {}

    def prove_leaf(self, leaf_hash: str) -> LeafProof | None:
        return self.proofs.get(leaf_hash)


class FakeDocumentBox:
    """Marks what was sealed, and opens only what was marked for the same purpose."""

    def __init__(self) -> None:
        self.count = 0

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        self.count += 1
        return b"sealed %d " % self.count + aad + b"\x00" + bytes(each ^ 0x5A for each in plaintext)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        head, _, body = sealed.partition(b"\x00")
        assert head.endswith(aad)
        return bytes(each ^ 0x5A for each in body)


class NoRemoteSealer:
    """There is no province."""

    is_there = False

    def request_seal(self, order: Any) -> str:
        raise RemoteSealerAbsent

    def seal_state(self, reference: str) -> Any:
        raise RemoteSealerAbsent

    def use_seal(self, reference: str, use: Any) -> bytes:
        raise RemoteSealerAbsent

    def verify_seal(self, content: bytes, document: bytes | None) -> Any:
        raise RemoteSealerAbsent


class FakePainter:
    def paint(self, request: Any) -> bytes:
        return PNG

    def normalise(self, picture: bytes, request: Any) -> bytes:
        return picture


class PixelPainter:
    """Paints a sound PNG of one pixel."""

    def paint(self, request: Any) -> bytes:
        return PIXEL

    def normalise(self, picture: bytes, request: Any) -> bytes:
        return PIXEL


class FakeAnchorFile:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, *certificates: bytes) -> None:
        self.written.extend(certificates)

    def read(self) -> bytes | None:
        return None


@dataclass(frozen=True)
class Mint:
    """Keys and certificates of a root, a maker and a signer."""

    root_key: PrivateKey
    maker_key: PrivateKey
    signer_key: PrivateKey
    root: bytes
    maker: bytes
    signer: bytes

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        return (read_certificate(self.root),)


def issue(
    profile: Any,
    key: PrivateKey,
    issuer_key: PrivateKey,
    *,
    common_name: str,
    issuer: bytes | None = None,
    start: int = START,
    days: int = 365,
) -> bytes:
    """Return a certificate for ``key``, signed by ``issuer_key``."""
    name = Name("测试单位", MARKING, common_name).to_der()
    content = CertificateContent(
        profile=profile,
        serial=int.from_bytes(sm3(key.public_key.der)[:8], "big") >> 1,
        issuer=name if issuer is None else read_certificate(issuer).subject,
        subject=name,
        not_before=start,
        not_after=start + days * DAY,
        spki=key.public_key.der,
        issuer_spki=issuer_key.public_key.der,
    )
    tbs = x509.certificate_to_sign(content)
    return x509.certificate(tbs, issuer_key.sign(tbs))


def new_mint(**overrides: Any) -> Mint:
    """Return a new chain; ``overrides`` go to the signer's certificate."""
    keys = [PrivateKey.generate() for _ in range(3)]
    root = issue("root", keys[0], keys[0], common_name="根")
    maker = issue("maker", keys[1], keys[0], common_name="制章者", issuer=root)
    signer = issue(
        "signer", keys[2], keys[0], **{"common_name": "签章人", "issuer": root, **overrides}
    )
    return Mint(keys[0], keys[1], keys[2], root, maker, signer)


@cache
def mint() -> Mint:
    """Return the chain that most tests share."""
    return new_mint()


@dataclass(frozen=True)
class Recipe:
    """What goes into a seal and a signature. Change one thing, get one broken file."""

    version: int = 4
    header_version: int | None = None
    tbs_version: int | None = None
    identifier: str = "ES"
    es_id: str = "0123456789abcdef0123456789abcdef"
    name: str = "测试印章"
    certificates: tuple[bytes, ...] | None = None
    digests: tuple[bytes, ...] = ()
    created_at: int = START + DAY
    valid_from: int = START + DAY
    valid_until: int = START + 100 * DAY
    picture_kind: str = "PNG"
    picture: bytes = PNG
    size: tuple[int, int] = (42, 42)
    seal_extensions: tuple[Extension, ...] = ()
    extensions: tuple[Extension, ...] = ()
    explicit_extensions: bool = False
    false_written: bool = False
    maker: bytes | None = None
    signer: bytes | None = None
    seal_algorithm: str = SM2_WITH_SM3
    algorithm: str = SM2_WITH_SM3
    signed_at: int = START + 2 * DAY
    time_info: bytes | None = None
    data_hash: bytes = field(default_factory=lambda: sm3(DOCUMENT))
    property_info: str = "detached"
    user_id: bytes = DEFAULT_USER_ID
    seal_timestamp: bytes | None = None
    timestamp: bytes | None = None
    mint: Mint = field(default_factory=mint)

    def but(self, **changes: Any) -> Recipe:
        return replace(self, **changes)


def utc_time(instant: int) -> bytes:
    text = to_rfc3339(instant // SECOND * SECOND)
    return encode(elements.UTC_TIME, (text[2:].translate(str.maketrans("", "", "-:T"))).encode())


def make_seal(recipe: Recipe) -> bytes:
    """Return the SESeal of ``recipe``."""
    version = recipe.version if recipe.header_version is None else recipe.header_version
    time = utc_time if recipe.version == 1 else der.generalized_time
    certificates = (recipe.mint.signer,) if recipe.certificates is None else recipe.certificates
    listed = [der.octets(certificate) for certificate in certificates]
    if recipe.digests:
        kind = encode(elements.PRINTABLE_STRING, b"SM3")
        listed = [der.sequence(kind, der.octets(digest)) for digest in recipe.digests]
    form = () if recipe.version == 1 else (der.integer(2 if recipe.digests else 1),)
    info = der.sequence(
        der.sequence(der.ia5(recipe.identifier), der.integer(version), der.ia5("maker")),
        der.ia5(recipe.es_id),
        der.sequence(
            der.integer(1),
            der.utf8(recipe.name),
            *form,
            der.sequence(*listed),
            *(time(at) for at in (recipe.created_at, recipe.valid_from, recipe.valid_until)),
        ),
        der.sequence(
            der.ia5(recipe.picture_kind),
            der.octets(recipe.picture),
            *(der.integer(side) for side in recipe.size),
        ),
        *_extensions(recipe, recipe.seal_extensions),
    )
    maker = der.octets(recipe.maker or recipe.mint.maker)
    algorithm = der.oid(recipe.seal_algorithm)
    if recipe.version == 1:
        signature = recipe.mint.maker_key.sign(der.sequence(info, maker, algorithm), recipe.user_id)
        return der.sequence(info, der.sequence(maker, algorithm, der.bits(signature)))
    signature = recipe.mint.maker_key.sign(info, recipe.user_id)
    return der.sequence(info, maker, algorithm, der.bits(signature), *_stamp(recipe.seal_timestamp))


def make_signature(recipe: Recipe, seal: bytes | None = None) -> bytes:
    """Return the SES_Signature of ``recipe`` with its seal, or with another ``seal``."""
    version = recipe.version if recipe.tbs_version is None else recipe.tbs_version
    v1 = recipe.version == 1
    time = der.bits(utc_time(recipe.signed_at)) if v1 else der.generalized_time(recipe.signed_at)
    signer = der.octets(recipe.signer or recipe.mint.signer)
    algorithm = der.oid(recipe.algorithm)
    extra = (signer, algorithm) if v1 else _extensions(recipe, recipe.extensions)
    tbs = der.sequence(
        der.integer(version),
        make_seal(recipe) if seal is None else seal,
        time if recipe.time_info is None else recipe.time_info,
        der.bits(recipe.data_hash),
        der.ia5(recipe.property_info),
        *extra,
    )
    signature = der.bits(recipe.mint.signer_key.sign(tbs, recipe.user_id))
    if v1:
        return der.sequence(tbs, signature)
    return der.sequence(tbs, signer, algorithm, signature, *_stamp(recipe.timestamp))


def _stamp(token: bytes | None) -> tuple[bytes, ...]:
    return () if token is None else (der.explicit(0, der.bits(token)),)


def _extensions(recipe: Recipe, extensions: tuple[Extension, ...]) -> tuple[bytes, ...]:
    if not extensions:
        return ()
    entries = []
    for extension in extensions:
        flag = (der.TRUE,) if extension.critical else ()
        if recipe.false_written and not extension.critical:
            flag = (b"\x01\x01\x00",)
        entries.append(der.sequence(der.oid(extension.oid), *flag, der.octets(extension.value)))
    listed = der.sequence(*entries)
    return (der.explicit(0, listed) if recipe.explicit_extensions else listed,)


def token(**changes: bytes) -> bytes:
    """Return a time-stamp token without signers, with some part of it changed."""
    algorithm = der.sequence(der.oid("1.2.156.10197.1.401"), b"\x05\x00")
    fields = {
        "version": der.integer(1),
        "policy": der.oid("1.2.3"),
        "imprint": der.sequence(algorithm, der.octets(bytes(32))),
        "serial": der.integer(7),
        "time": der.generalized_time(from_rfc3339("2026-01-01T00:00:00Z")),
        **changes,
    }
    info = der.sequence(
        *(
            field
            for name, field in fields.items()
            if name in ("version", "policy", "imprint", "serial", "time") and field
        )
    )
    content = changes.get("content", der.explicit(0, der.octets(info)))
    kind = changes.get("kind", der.oid("1.2.840.113549.1.9.16.1.4"))
    signed = der.sequence(
        der.integer(3), encode(0x31, algorithm), der.sequence(kind, content), encode(0x31, b"")
    )
    outer = changes.get("outer", der.oid("1.2.840.113549.1.7.2"))
    return der.sequence(outer, der.explicit(0, signed))
