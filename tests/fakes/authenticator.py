"""A soft authenticator: P-256 passkeys, attested by a maker's certificate or by nobody."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

MODEL = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
_FROM, _TO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Maker"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


class Maker:
    """A maker of authenticators: a root, and a certificate for one model."""

    def __init__(self, model: bytes = MODEL) -> None:
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._sign("Root", self.root_key, ca=True)
        self.certificate = self._sign("Model", self.key, model=model)

    @property
    def root_pem(self) -> str:
        return self.root.public_bytes(Encoding.PEM).decode()

    def _sign(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        ca: bool = False,
        model: bytes | None = None,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("Root"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_FROM)
            .not_valid_after(_TO)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if model is not None:
            oid = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
            value = x509.UnrecognizedExtension(oid, b"\x04\x10" + model)
            builder = builder.add_extension(value, critical=False)
        return builder.sign(self.root_key, SHA256())


@dataclass
class Credential:
    id: bytes
    key: ec.EllipticCurvePrivateKey
    rp_id: str
    user_handle: bytes
    count: int = 0


@dataclass
class Authenticator:
    """Answers ceremonies; every field of an answer can be bent by the test."""

    origin: str = "http://localhost:8080"
    maker: Maker | None = None
    model: bytes = MODEL
    synced: bool = False
    counts: bool = True
    verifies: bool = True
    client_data: dict[str, Any] = field(default_factory=dict)
    credentials: list[Credential] = field(default_factory=list)

    def create(self, options: dict[str, Any]) -> str:
        """What ``navigator.credentials.create`` would give, as the page sends it."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = Credential(
            hashlib.sha256(unb64(options["challenge"])).digest(),
            key,
            options["rp"]["id"],
            unb64(options["user"]["id"]),
        )
        self.credentials.append(made)
        point = key.public_key().public_numbers()
        cose = {
            1: 2,
            3: -7,
            -1: 1,
            -2: point.x.to_bytes(32, "big"),
            -3: point.y.to_bytes(32, "big"),
        }
        attested = self.model + len(made.id).to_bytes(2, "big") + made.id + cbor2.dumps(cose)
        data = self._data(made, attested)
        client_data = self._client_data("webauthn.create", options["challenge"])
        statement: dict[str, Any] = {}
        if self.maker is not None:
            signed = data + hashlib.sha256(client_data).digest()
            statement = {
                "alg": -7,
                "sig": self.maker.key.sign(signed, ec.ECDSA(SHA256())),
                "x5c": [self.maker.certificate.public_bytes(Encoding.DER)],
            }
        whole = {
            "fmt": "packed" if self.maker else "none",
            "attStmt": statement,
            "authData": data,
        }
        return self._answer(
            made,
            clientDataJSON=b64(client_data),
            attestationObject=b64(cbor2.dumps(whole)),
            transports=["internal", "usb", "made-up"],
        )

    def get(self, options: dict[str, Any], credential: Credential | None = None) -> str:
        """What ``navigator.credentials.get`` would give, as the page sends it."""
        used = credential or self._choose(options)
        if self.counts:
            used.count += 1
        data = self._data(used)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(client_data).digest()
        return self._answer(
            used,
            clientDataJSON=b64(client_data),
            authenticatorData=b64(data),
            signature=b64(used.key.sign(signed, ec.ECDSA(SHA256()))),
            userHandle=b64(used.user_handle),
        )

    def _choose(self, options: dict[str, Any]) -> Credential:
        allowed = {unb64(each["id"]) for each in options["allowCredentials"]}
        return next(c for c in self.credentials if not allowed or c.id in allowed)

    def _data(self, credential: Credential, attested: bytes = b"") -> bytes:
        flags = 0x01 | (0x04 if self.verifies else 0) | (0x18 if self.synced else 0)
        flags |= 0x40 if attested else 0
        rp = hashlib.sha256(credential.rp_id.encode()).digest()
        return rp + bytes([flags]) + credential.count.to_bytes(4, "big") + attested

    def _client_data(self, kind: str, challenge: str) -> bytes:
        content = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
            **self.client_data,
        }
        return json.dumps(content).encode()

    @staticmethod
    def _answer(credential: Credential, **response: Any) -> str:
        return json.dumps(
            {
                "id": b64(credential.id),
                "rawId": b64(credential.id),
                "type": "public-key",
                "clientExtensionResults": {},
                "response": response,
            }
        )
