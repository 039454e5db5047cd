"""An OCSP responder that speaks through asn1crypto: an encoder that is not ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import core, ocsp, x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import SECOND
from secops.kernel.errors import SecopsError

SM2_SM3 = "1.2.156.10197.1.501"
Signs = tuple[str, Callable[[bytes], bytes]]


def signs(key: PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> Signs:
    """How ``key`` signs: the algorithm's name in ASN.1, and the signing."""
    if isinstance(key, PrivateKey):
        return SM2_SM3, key.sign
    if isinstance(key, rsa.RSAPrivateKey):
        return "sha256_rsa", lambda text: key.sign(text, padding.PKCS1v15(), SHA256())
    return "sha256_ecdsa", lambda text: key.sign(text, ec.ECDSA(SHA256()))


@dataclass
class Responder:
    """Answers for one CA; what is set bends its answers. Implements ``iam.ports.Outbound``."""

    now: Callable[[], int]
    signer: bytes
    key: Any
    states: dict[int, str] = field(default_factory=dict)
    usual: str = "good"
    since: timedelta = timedelta(0)
    until: timedelta | None = timedelta(hours=1)
    produced: timedelta = timedelta(0)
    with_nonce: bool = True
    by_key: bool = False
    certificates: tuple[bytes, ...] = ()
    trouble: str = ""
    error: SecopsError | None = None
    status: int = 200
    bend: Callable[[ocsp.ResponseData], None] = lambda _: None
    bend_bytes: Callable[[bytes], bytes] = lambda encoded: encoded
    asked: list[tuple[str, int]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        assert (headers["content-type"], timeout) == ("application/ocsp-request", 5.0)
        request = ocsp.OCSPRequest.load(body, strict=True)
        self.requests.append(body)
        (one,) = request["tbs_request"]["request_list"]
        self.asked.append((url, one["req_cert"]["serial_number"].native))
        if self.error is not None:
            raise self.error
        return self.status, self.bend_bytes(self.answer(request))

    def get(self, *_: object, **__: object) -> tuple[int, bytes]:
        raise NotImplementedError

    def open_tls(self, *_: object, **__: object) -> Any:
        raise NotImplementedError

    def answer(self, request: ocsp.OCSPRequest) -> bytes:
        if self.trouble:
            return ocsp.OCSPResponse({"response_status": self.trouble}).dump()  # type: ignore[no-any-return]
        named = request["tbs_request"]["request_list"][0]["req_cert"]
        state = self.states.get(named["serial_number"].native, self.usual)
        now = datetime.fromtimestamp(self.now() // SECOND, UTC)
        single: dict[str, Any] = {
            "cert_id": named,
            "cert_status": _state(state, now),
            "this_update": now + self.since,
        }
        if self.until is not None:
            single["next_update"] = now + self.until
        data = ocsp.ResponseData(
            {
                "responder_id": self._named(),
                "produced_at": now + self.produced,
                "responses": [single],
            }
        )
        nonce = request.nonce_value
        if self.with_nonce and nonce is not None:
            value = {"extn_id": "nonce", "critical": False, "extn_value": nonce}
            data["response_extensions"] = [ocsp.ResponseDataExtension(value)]
        self.bend(data)
        return self._signed(data)

    def _named(self) -> ocsp.ResponderId:
        certificate = x509.Certificate.load(self.signer)
        if self.by_key:
            return ocsp.ResponderId("by_key", core.OctetString(certificate.public_key.sha1))
        return ocsp.ResponderId("by_name", certificate.subject)

    def _signed(self, data: ocsp.ResponseData) -> bytes:
        algorithm, sign = signs(self.key)
        basic = {
            "tbs_response_data": data,
            "signature_algorithm": {"algorithm": algorithm},
            "signature": sign(data.dump(force=True)),
        }
        if self.certificates:
            basic["certs"] = [x509.Certificate.load(each) for each in self.certificates]
        content = {
            "response_type": "basic_ocsp_response",
            "response": ocsp.BasicOCSPResponse(basic),
        }
        answer = ocsp.OCSPResponse({"response_status": "successful", "response_bytes": content})
        return answer.dump()  # type: ignore[no-any-return]


def _state(state: str, now: datetime) -> ocsp.CertStatus:
    if state == "revoked":
        value: Any = ocsp.RevokedInfo(
            {"revocation_time": now, "revocation_reason": "key_compromise"}
        )
        return ocsp.CertStatus("revoked", value)
    return ocsp.CertStatus(state, core.Null())
