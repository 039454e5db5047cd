"""A province: an OpenID provider, a ticket platform and a CAS server behind one way out.

Tokens are written by PyJWT, tickets by the ciphers directly: nothing here shares code with
what reads them. Each part has knobs for the attacks.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.sax.saxutils import escape

import jwt
import orjson
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from iam.ports import Negotiate, Stream
from secops.crypto import der, sm2
from secops.kernel.clock import SECOND
from secops.kernel.errors import Unavailable
from tests.fakes.clock import FakeClock

OIDC = "https://id.province.example"
CAS = "https://cas.province.example/cas"
PLATFORM = "https://ticket.province.example"
STATUS = "https://id.province.example/status"
CLIENT, SECRET = "county", "a secret of the county & the province"
SM4_KEY = bytes(range(16))
ID_NUMBER = "11010519491231002X"


@dataclass
class Province:
    """Implements ``Outbound``. ``down`` answers nothing; ``asked`` are the URLs called."""

    clock: FakeClock = field(default_factory=FakeClock)
    down: bool = False
    directory: Any = None
    asked: list[str] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tickets: dict[str, tuple[str, str]] = field(default_factory=dict)
    cas_body: str = ""
    kid: str = "k1"
    encode: Callable[[dict[str, Any]], str] | None = None

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.platform = sm2.PrivateKey.generate()
        self.platform_point = self.platform.der[-65:]

    # the way out

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        assert timeout > 0
        self._note(url)
        parts = urlsplit(url)
        if parts.path.endswith("/.well-known/openid-configuration"):
            return 200, orjson.dumps(self._metadata())
        if parts.path == "/jwks":
            return 200, orjson.dumps({"keys": [self.public_jwk()]})
        if parts.path == "/userinfo":
            assert headers["authorization"] == "Bearer opaque"
            return 200, orjson.dumps(self.userinfo)
        if parts.path == "/status":
            subject = parse_qs(parts.query)["subject"][0]
            return 200, orjson.dumps({"active": subject not in self.gone})
        if parts.path.endswith("/p3/serviceValidate"):
            return 200, self._validate(dict(parse_qsl(parts.query, strict_parsing=True)))
        return 200, b"<html>"

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        assert timeout > 0
        self._note(url)
        form = dict(parse_qsl(body.decode(), strict_parsing=True))
        asked = self.codes.pop(form["code"], None)
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        pair = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
        right = (
            asked is not None
            and asked["code_challenge"] == challenge
            and asked["redirect_uri"] == form["redirect_uri"]
            and pair == "county:a+secret+of+the+county+%26+the+province"
        )
        if not right or asked is None:
            return 400, b'{"error":"invalid_grant"}'
        claims = self.id_claims(asked["nonce"])
        token = self.encode(claims) if self.encode else self.sign(claims)
        return 200, orjson.dumps({"id_token": token, "access_token": "opaque"})

    def open_tls(
        self, host: str, port: int, timeout: float, negotiate: Negotiate | None = None
    ) -> Stream:
        assert timeout > 0
        self._note(f"{'ldap' if negotiate else 'ldaps'}://{host}:{port}")
        stream = self.directory.connect()
        if negotiate is not None:
            negotiate(stream)
        stream.begin_tls()
        return stream  # type: ignore[no-any-return]

    def _note(self, url: str) -> None:
        self.asked.append(url)
        if self.down:
            raise Unavailable("no answer")

    # OpenID

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": OIDC,
            "authorization_endpoint": f"{OIDC}/authorize",
            "token_endpoint": f"{OIDC}/token",
            "userinfo_endpoint": f"{OIDC}/userinfo",
            "jwks_uri": f"{OIDC}/jwks",
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def public_jwk(self) -> dict[str, Any]:
        made = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**made, "kid": self.kid, "use": "sig", "alg": "ES256"}

    def id_claims(self, nonce: str) -> dict[str, Any]:
        now = self.clock.now() // SECOND
        return {
            "iss": OIDC,
            "aud": CLIENT,
            "sub": "zhang-3",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "id_number": ID_NUMBER,
            "level": 4,
            **self.claims,
        }

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(claims, self.key, "ES256", {"kid": self.kid, **header})

    def authorize(self, location: str) -> dict[str, str]:
        """Do what the provider's sign-in page does: return the answer's parameters."""
        asked = dict(parse_qsl(urlsplit(location).query, strict_parsing=True))
        code = base64.urlsafe_b64encode(os.urandom(12)).decode()
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": OIDC}

    # tickets

    def members(self, **other: Any) -> dict[str, Any]:
        return {
            "iss": "gd-platform",
            "aud": CLIENT,
            "sub": "person-77",
            "jti": base64.urlsafe_b64encode(os.urandom(9)).decode(),
            "iat": self.clock.now() // SECOND,
            "id_number": ID_NUMBER,
            "level": "4",
            **other,
        }

    def ticket(self, members: dict[str, Any] | bytes, key: bytes = SM4_KEY) -> str:
        """A ticket of the default layout: iv, SM4-GCM body and tag, raw SM2 signature."""
        plain = members if isinstance(members, bytes) else orjson.dumps(members)
        iv = os.urandom(12)
        sealing = Cipher(algorithms.SM4(key), modes.GCM(iv)).encryptor()
        sealed = iv + sealing.update(plain) + sealing.finalize() + sealing.tag
        signature = der.signature_to_raw(self.platform.sign(sealed), sm2.ORDER)
        return base64.urlsafe_b64encode(sealed + signature).rstrip(b"=").decode()

    def cbc_ticket(self, members: dict[str, Any], key: bytes = SM4_KEY) -> str:
        """Another platform's: signature (DER) over the plaintext first, then SM4-CBC, in hex."""
        plain = orjson.dumps(members)
        padder = padding.PKCS7(128).padder()
        iv = os.urandom(16)
        sealing = Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor()
        body = sealing.update(padder.update(plain) + padder.finalize()) + sealing.finalize()
        signature = self.platform.sign(plain)
        while len(signature) != 70:  # the layout wants one length
            signature = self.platform.sign(plain)
        return (b"v1" + signature + iv + body).hex()

    # CAS

    def grant_ticket(self, location: str, user: str = "zhang-3") -> dict[str, str]:
        """Do what the CAS server's sign-in page does: return the parameters it comes back with."""
        service = parse_qs(urlsplit(location).query)["service"][0]
        ticket = "ST-" + os.urandom(8).hex()
        self.tickets[ticket] = (service, user)
        return {**dict(parse_qsl(urlsplit(service).query)), "ticket": ticket}

    def _validate(self, asked: dict[str, str]) -> bytes:
        space = 'xmlns:cas="http://www.yale.edu/tp/cas"'
        found = self.tickets.pop(asked["ticket"], None)
        if found is None or found[0] != asked["service"]:
            code = "INVALID_TICKET" if found is None else "INVALID_SERVICE"
            failure = f'<cas:authenticationFailure code="{code}">no</cas:authenticationFailure>'
            return f"<cas:serviceResponse {space}>{failure}</cas:serviceResponse>".encode()
        body = self.cas_body or (
            f"<cas:user>{escape(found[1])}</cas:user><cas:attributes>"
            f"<cas:idNumber>{ID_NUMBER}</cas:idNumber><cas:level>4</cas:level></cas:attributes>"
        )
        success = f"<cas:authenticationSuccess>{body}</cas:authenticationSuccess>"
        return f"<cas:serviceResponse {space}>{success}</cas:serviceResponse>".encode()


def oidc_document(**settings: Any) -> dict[str, Any]:
    """The county's configuration of the province's OpenID provider."""
    made = {
        "issuer": OIDC,
        "client_id": CLIENT,
        "id_number_claim": "id_number",
        "level_claim": "level",
        "disabled_claim": "disabled",
        "status_url": STATUS,
        **settings,
    }
    return {"kind": "oidc", "title": "省统一身份认证", "settings": made, "trust": TRUST}


def ticket_document(province: Province, **settings: Any) -> dict[str, Any]:
    """The county's configuration of the ticket platform."""
    made = {
        "login_url": f"{PLATFORM}/login",
        "issuer": "gd-platform",
        "application": CLIENT,
        "public_key": province.platform_point.hex(),
        **settings,
    }
    return {"kind": "ticket", "title": "省票据平台", "settings": made, "trust": TRUST}


def cas_document(**settings: Any) -> dict[str, Any]:
    """The county's configuration of the CAS server."""
    made = {
        "server_url": CAS,
        "id_number_attribute": "idNumber",
        "level_attribute": "level",
        **settings,
    }
    return {"kind": "cas", "title": "省 CAS", "settings": made, "trust": TRUST}


TRUST: dict[str, Any] = {
    "link_by": ["cn-id"],
    "scheme": "cn-gd",
    "levels": {"4": 4, "3": 3},
    "level_days": 30,
    "assurance": 2,
}
