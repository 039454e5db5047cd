"""More than two hundred ways to make a token that is none, from one that is good."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from iam.core.base64url import encode
from iam.core.rfc9068.header import TokenType
from iam.core.rfc9068.verify import MAX_TOKEN
from iam.models.clients import ES256, SM2_SM3
from iam.service.provider.tokens import KeyRing
from secops.crypto.der import signature_to_raw
from secops.crypto.options import SM2_DEFAULT_USER_ID as USER_ID
from secops.crypto.sm2 import ORDER as SM2_ORDER
from tests.fakes.iam_home import ISSUER, IamHome

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NONE = ("none", "None", "NONE", "nOnE", "none ", " none", "", "null", "none\0", "noNe", "n", "NonE")
ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "es256", "ES256 ", "A256KW", "dir"),
    *("SGD_SM3_SM2", "SM2", "SM2SM3", "SGD_SM3_SM9", "SGD_SM3_HMAC"),
)
HEADERS: tuple[dict[str, Any], ...] = (
    {"jwk": {"kty": "EC"}},
    {"jku": "https://evil.example/jwks"},
    {"x5u": "https://evil.example/x5u"},
    {"x5c": ["MIIB"]},
    {"x5t": "AAAA"},
    {"crit": []},
    {"crit": ["exp"]},
    {"crit": ["b64"], "b64": False},
    {"b64": False},
    {"zip": "DEF"},
    {"cty": "JWT"},
    {"enc": "A128GCM"},
    {"epk": {}},
    {"kid": "../../etc/passwd"},
    {"kid": "' OR 1=1 --"},
    {"kid": "/dev/null"},
    {"kid": "https://evil.example/key"},
    {"kid": ""},
    {"kid": 1},
    {"kid": None},
    {"kid": ["a"]},
    {"typ": "JWT"},
    {"typ": "jwt"},
    {"typ": "logout+jwt"},
    {"typ": "dpop+jwt"},
    {"typ": "secevent+jwt"},
    {"typ": "application/at+jwt"},
    {"typ": "AT+JWT"},
    {"typ": None},
    {"typ": 1},
    {"alg": ["ES256"]},
    {"alg": None},
    {"iss": ISSUER},
    {"nonce": "x"},
)
CLAIMS: tuple[dict[str, Any], ...] = (
    {"iss": ISSUER + "/"},
    {"iss": ISSUER.upper()},
    {"iss": "https://evil.example"},
    {"iss": [ISSUER]},
    {"iss": None},
    {"iss": 1},
    {"aud": None},
    {"aud": 1},
    {"aud": ["secops-api", 1]},
    {"aud": {"secops-api": 1}},
    {"sub": None},
    {"sub": 1},
    {"sub": ["a"]},
    {"client_id": None},
    {"client_id": 1},
    {"client_id": "unknown", "sid": None},
    {"client_id": "secops-console", "sid": None},
    {"org": None},
    {"org": 1},
    {"jti": None},
    {"jti": 1},
    {"exp": None},
    {"exp": "9999999999"},
    {"exp": 1.5e10},
    {"exp": True},
    {"exp": -1},
    {"exp": 0},
    {"exp": [9_999_999_999]},
    {"iat": None},
    {"iat": "0"},
    {"iat": 0},
    {"iat": False},
    {"iat": 99_999_999_999, "exp": 99_999_999_999},
    {"sid": "ses_unknown"},
    {"sid": ""},
    {"sid": None},
    {"cnf": {}},
    {"cnf": {"jkt": 1}},
    {"cnf": {"jkt": ""}},
    {"cnf": {"x5t#S256": "AAAA"}},
    {"cnf": {"jkt": "A" * 43}},
    {"cnf": "jkt"},
    {"cnf": []},
)
PAYLOADS = (
    *(b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"[" * 2_000, b'{"exp":1e999}', b"{}"),
    *(b"\xef\xbb\xbf{}", b"{}{}", b"{} ", b"{'a':1}", b"NaN"),
)


def signed(home: IamHome, header: bytes, payload: bytes) -> str:
    """Sign anything with the real key: what is wrong is elsewhere."""
    message = f"{encode(header)}.{encode(payload)}".encode()
    r, s = decode_dss_signature(home.signer.private[0].sign(message, ec.ECDSA(hashes.SHA256())))
    return f"{message.decode()}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def signed_by_sm2(home: IamHome, header: bytes, payload: bytes, user_id: bytes = USER_ID) -> str:
    """Sign anything with the real SM2 key."""
    assert home.sm2_signer is not None
    message = f"{encode(header)}.{encode(payload)}".encode()
    signature = home.sm2_signer.private[0].sign(message, user_id)
    return f"{message.decode()}.{encode(signature_to_raw(signature, SM2_ORDER))}"


def switched_tokens(home: IamHome, es256: str, sm2: str) -> dict[str, str]:
    """Tokens whose algorithm, key or signature was switched; two good ones of two clients."""
    ours = {"ES256": es256, "SM2": sm2}
    headers = {name: jwt.get_unverified_header(token) for name, token in ours.items()}
    bodies = {
        name: jwt.decode(token, options={"verify_signature": False}) | {"jti": "switched"}
        for name, token in ours.items()
    }
    signers = {"ES256": signed, "SM2": signed_by_sm2}
    found: dict[str, str] = {}
    for header in ours:
        for body in ours:
            for signer in ours:
                name = f"{header} header, {body} client, {signer} key"
                made = orjson.dumps(headers[header])
                found[name] = signers[signer](home, made, orjson.dumps(bodies[body]))
    for name in ours:  # what fits in all three is no forgery
        found.pop(f"{name} header, {name} client, {name} key")
    other = headers["SM2"] | {"alg": "ES256"}
    found["SM2 key named ES256"] = signed_by_sm2(
        home, orjson.dumps(other), orjson.dumps(bodies["SM2"])
    )
    other = headers["ES256"] | {"alg": SM2_SM3}
    for body in ours:
        found[f"ES256 key named SM2, {body} client"] = signed(
            home, orjson.dumps(other), orjson.dumps(bodies[body])
        )
    for name in ("SM2", "SM2SM3", "sgd_sm3_sm2", "SGD_SM3_SM2 ", "none", "HS256"):
        made = orjson.dumps(headers["SM2"] | {"alg": name})
        found[f"SM2 key named {name!r}"] = signed_by_sm2(home, made, orjson.dumps(bodies["SM2"]))
    whole, content = orjson.dumps(headers["SM2"]), orjson.dumps(bodies["SM2"])
    for user in (b"", b"1234567812345679", b"secops"):
        found[f"SM2 for the user {user!r}"] = signed_by_sm2(home, whole, content, user)
    text, _, signature = sm2.rpartition(".")
    assert home.sm2_signer is not None
    der = home.sm2_signer.private[0].sign(text.encode())
    order = SM2_ORDER.to_bytes(32, "big")
    for label, raw in {
        "DER": der,
        "zeros": bytes(64),
        "orders": order + order,
        "short": bytes(63),
        "long": bytes(65),
    }.items():
        found[f"SM2 signature {label}"] = f"{text}.{encode(raw)}"
    found["SM2 signature padded"] = f"{text}.{signature}="
    found["SM2 signature of another"] = f"{text}.{es256.rpartition('.')[2]}"
    return found


def forged_tokens(home: IamHome, good: str) -> dict[str, str]:
    """Forged tokens by kind; ``good`` is an access token of a person's session."""
    found = dict(_all(home, good))
    found.pop("good", None)
    return found


def _all(home: IamHome, good: str) -> Iterator[tuple[str, str]]:
    header = jwt.get_unverified_header(good)
    claims = jwt.decode(good, options={"verify_signature": False}) | {"jti": "forged"}
    yield from _headers(home, header, claims)
    yield from _secrets(home, header, claims)
    for change in CLAIMS:
        made = {name: value for name, value in (claims | change).items() if value is not None}
        yield f"claims {change}", signed(home, orjson.dumps(header), orjson.dumps(made))
    for payload in PAYLOADS:
        yield f"payload {payload[:20]!r}", signed(home, orjson.dumps(header), payload)
    yield from _signatures(home, header, good)
    yield from _shapes(good)
    ring = KeyRing({ES256: home.signer}, home.clock)
    kinds: tuple[TokenType, ...] = ("JWT", "logout+jwt")
    for kind in kinds:
        yield f"our own {kind}", ring.sign(kind, claims)


def _headers(
    home: IamHome, header: dict[str, Any], claims: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    body = orjson.dumps(claims)
    for name in NONE:
        made = orjson.dumps({**header, "alg": name})
        yield f"alg {name!r} unsigned", f"{encode(made)}.{encode(body)}."
        yield f"alg {name!r} zeros", f"{encode(made)}.{encode(body)}.{encode(bytes(64))}"
        yield f"alg {name!r} signed", signed(home, made, body)
    for name in ALGORITHMS:
        yield f"alg {name!r} signed", signed(home, orjson.dumps({**header, "alg": name}), body)
    for change in HEADERS:
        made = orjson.dumps({k: v for k, v in {**header, **change}.items() if v is not None})
        yield f"header {change}", signed(home, made, body)
    yield (
        "header in another order",
        signed(home, orjson.dumps(dict(reversed(header.items()))), body),
    )
    yield "header with spaces", signed(home, json.dumps(header).encode(), body)
    twice = orjson.dumps(header)[:-1] + b',"alg":"none"}'
    yield "alg twice", signed(home, twice, body)


def _secrets(
    home: IamHome, header: dict[str, Any], claims: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    public = home.signer.private[0].public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = {
        "PEM": public.public_bytes(serialization.Encoding.PEM, spki),
        "DER": public.public_bytes(serialization.Encoding.DER, spki),
        "JWK": orjson.dumps(home.services.metadata.jwks()["keys"][0]),
        "nothing": b"",
    }
    for algorithm, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
        for named in (algorithm, "ES256"):
            made = encode(orjson.dumps({**header, "alg": named}))
            text = f"{made}.{encode(orjson.dumps(claims))}"
            for name, secret in secrets.items():
                mac = hmac.digest(secret, text.encode(), digest)
                yield f"{algorithm} as {named} with {name}", f"{text}.{encode(mac)}"
    others: tuple[tuple[str, Any], ...] = (
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("ES384", ec.generate_private_key(ec.SECP384R1())),
        ("RS256", rsa.generate_private_key(65_537, 2_048)),
    )
    for algorithm, key in others:
        yield (
            f"another's {algorithm} key",
            jwt.encode(claims, key, algorithm, headers={**header, "alg": algorithm}),
        )


def _signatures(home: IamHome, header: dict[str, Any], good: str) -> Iterator[tuple[str, str]]:
    text = good.rsplit(".", 1)[0]
    order = ORDER.to_bytes(32, "big")
    der = home.signer.private[0].sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    sizes = (bytes(64), order + order, bytes(32) + order, der, bytes(63), bytes(65), bytes(1))
    for number, signature in enumerate(sizes):
        yield f"signature {number}", f"{text}.{encode(signature)}"
    yield "signature of another text", f"{text}.{signed(home, orjson.dumps(header), b'{}')[-86:]}"


def _shapes(good: str) -> Iterator[tuple[str, str]]:
    head, body, signature = good.split(".")
    shapes = {
        "twice": good * 2,
        "joined": f"{good}.{good}",
        "two segments": f"{head}.{body}",
        "empty signature": f"{head}.{body}.",
        "empty first": f".{good}",
        "upper case": good.upper(),
        "reversed": good[::-1],
        "with its scheme": f"Bearer {good}",
        "longest": good + "A" * (MAX_TOKEN - len(good)),
        "too long": good + "A" * MAX_TOKEN,
        "padded": good + "=",
        "padded twice": good + "==",
        "padded header": f"{head}=.{body}.{signature}",
        "other alphabet": good.replace("-", "+").replace("_", "/") + "+",
        "trailing bits": good[:-1] + chr(ord(good[-1]) ^ 1),
        "a letter more": good + "A",
        "space before": f" {good}",
        "line after": f"{good}\n",
        "null after": f"{good}\0",
        "five segments": f"{good}.{body}.{signature}",
        "detached": f"{head}..{signature}",
        "json": json.dumps({"protected": head, "payload": body, "signature": signature}),
        "comma": f"{good},{good}",
        "wide letter": good[:-1] + "\uff41",
        "empty": "",
        "dots": "..",
        "word": "null",
    }
    yield from shapes.items()
