#!/usr/bin/env python3
"""Verify a report, the proof of one finding, or an archive, with nothing but Python, offline.

    verify_report.py FILE [--proof FILE.proof] [--vkeys FILE]

FILE is a report (HTML, PDF, DOCX, XLSX, JSON, OSCAL) with its FILE.proof beside it, the proof of a
finding, or an archive: a .zip file or its unpacked folder. The proof's claims are followed to the
ledger's record, its inclusion under a signed checkpoint, and the signatures over the claims (SM2 by
GB/T 32918.2, ECDSA P-256 by FIPS 186-5, Ed25519 by RFC 8032); then the file is compared with them.
What was changed is named: the item, the row, the page, the section. No code of the product is used.

--vkeys: the ledger's verification keys, kept elsewhere. Without it those beside FILE are taken, and
who can change the one can change the other. Prints JSON; exit 0 it verifies, 1 it does not, 2 it
can't be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import re
import stat
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from html import unescape
from pathlib import Path
from typing import Any

Hash = Callable[[bytes], bytes]
Json = dict[str, Any]
SM2_KEY = b"\xffgovsecops/sm2-with-sm3/v1:"
ED25519_KEY = b"\x01"
MAX_PROOF = 32 << 20
MAX_DOCUMENT = 128 << 20
MAX_REPORT = 256 << 20
MAX_UNPACKED = 64 << 20
MAX_ARCHIVE = 1 << 30
MAX_ENTRIES = 10_000


class Bad(Exception):
    """Something does not hold; the message says what, ``changes`` which parts of the file."""

    def __init__(self, why: str, changes: list[Json] | None = None) -> None:
        super().__init__(why)
        self.changes = changes or []


# SM3 (GB/T 32905-2016)

_MASK = 0xFFFFFFFF
_IV = bytes.fromhex("7380166f4914b2b9172442d7da8a0600a96f30bc163138aae38dee4db0fb0e4e")


def _rotate(value: int, count: int) -> int:
    count %= 32
    return (value << count | value >> (32 - count)) & _MASK


_ROUND = [_rotate(0x79CC4519 if j < 16 else 0x7A879D8A, j) for j in range(64)]  # noqa: PLR2004


def _sm3_block(state: list[int], block: bytes) -> list[int]:
    words = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 64, 4)]
    for j in range(16, 68):
        x = words[j - 16] ^ words[j - 9] ^ _rotate(words[j - 3], 15)
        x ^= _rotate(x, 15) ^ _rotate(x, 23)
        words.append(x ^ _rotate(words[j - 13], 7) ^ words[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        turned = _rotate(a, 12)
        ss1 = _rotate((turned + e + _ROUND[j]) & _MASK, 7)
        early = j < 16  # noqa: PLR2004 - the standard's first 16 rounds
        ff = a ^ b ^ c if early else a & b | a & c | b & c
        gg = e ^ f ^ g if early else e & f | ~e & g
        tt1 = (ff + d + (ss1 ^ turned) + (words[j] ^ words[j + 4])) & _MASK
        tt2 = (gg + h + ss1 + words[j]) & _MASK
        a, b, c, d = tt1, a, _rotate(b, 9), c
        e, f, g, h = tt2 ^ _rotate(tt2, 9) ^ _rotate(tt2, 17), e, _rotate(f, 19), g
    return [old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def sm3(message: bytes) -> bytes:
    """Return the SM3 hash of ``message``."""
    padded = message + b"\x80" + bytes(-(len(message) + 9) % 64)
    padded += (8 * len(message)).to_bytes(8, "big")
    state = [int.from_bytes(_IV[at : at + 4], "big") for at in range(0, 32, 4)]
    for at in range(0, len(padded), 64):
        state = _sm3_block(state, padded[at : at + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


def sha256(message: bytes) -> bytes:
    """Return the SHA-256 hash of ``message``."""
    return hashlib.sha256(message).digest()


def quick_sm3() -> Hash:
    """Return the system's SM3 if it has one that agrees with ours, else ours."""
    probe = bytes(range(200))
    try:
        if hashlib.new("sm3", probe).digest() == sm3(probe):
            return lambda message: hashlib.new("sm3", message).digest()
    except ValueError:
        pass
    return sm3


SM3 = quick_sm3()


# SM2 (GB/T 32918.2-2016 §7) and ECDSA P-256 (FIPS 186-5 §6.4.2) verification; no secret is touched

Point = tuple[int, int] | None


class Curve:
    """y² = x³ − 3x + b over a prime field, with a base point of prime order."""

    def __init__(self, p: int, b: int, n: int, g: tuple[int, int]) -> None:
        self.p, self.a, self.b, self.n, self.g = p, p - 3, b, n, g

    def add(self, left: Point, right: Point) -> Point:
        """Return the sum of two points."""
        if left is None or right is None:
            return right if left is None else left
        (x1, y1), (x2, y2) = left, right
        if x1 == x2:
            if (y1 + y2) % self.p == 0:
                return None
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p) % self.p
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p) % self.p
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def two_products(self, s: int, t: int, public: Point) -> Point:
        """Return s·G + t·public, both scalars in one pass."""
        both = self.add(self.g, public)
        total: Point = None
        for bit in reversed(range(256)):
            total = self.add(total, total)
            chosen = (s >> bit & 1, t >> bit & 1)
            if chosen != (0, 0):
                total = self.add(total, {(1, 0): self.g, (0, 1): public, (1, 1): both}[chosen])
        return total

    def point(self, encoded: bytes) -> Point:
        """Return the point of 04 ‖ x ‖ y; None if it is not on the curve."""
        if len(encoded) != 65 or encoded[0] != 4:  # noqa: PLR2004 - 04 = uncompressed
            return None
        x, y = int.from_bytes(encoded[1:33], "big"), int.from_bytes(encoded[33:], "big")
        on = max(x, y) < self.p and (y * y - (x * x * x + self.a * x + self.b)) % self.p == 0
        return (x, y) if on else None


SM2_CURVE = Curve(
    0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
    0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
    (
        0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
        0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    ),
)
P256_CURVE = Curve(
    0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
)
SPKI = {
    "sm2-sm3": bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200"),
    "ecdsa-p256-sha256": bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
}
_USER = b"1234567812345678"


def _der_integer(data: bytes) -> tuple[int, bytes]:
    if len(data) < 3 or data[0] != 2 or data[1] > 33 or len(data) < 2 + data[1]:  # noqa: PLR2004
        raise ValueError
    body = data[2 : 2 + data[1]]
    minimal = len(body) == 1 or body[0] or body[1] & 0x80
    if not body or body[0] & 0x80 or not minimal:
        raise ValueError
    return int.from_bytes(body, "big"), data[2 + data[1] :]


def _two_integers(signature: bytes, n: int) -> tuple[int, int] | None:
    """Return r and s of a DER signature, both within 1…n−1; None otherwise."""
    try:
        if signature[0] != 0x30 or signature[1] != len(signature) - 2:  # noqa: PLR2004 - SEQUENCE
            return None
        r, rest = _der_integer(signature[2:])
        s, rest = _der_integer(rest)
    except (ValueError, IndexError):
        return None
    return (r, s) if not rest and 1 <= r < n and 1 <= s < n else None


def sm2_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the DER ``signature`` of ``message`` is by ``public`` (04 ‖ x ‖ y)."""
    curve, key = SM2_CURVE, SM2_CURVE.point(public)
    integers = _two_integers(signature, curve.n)
    if key is None or integers is None:
        return False
    r, s = integers
    constants = b"".join(value.to_bytes(32, "big") for value in (curve.a, curve.b, *curve.g))
    za = sm3((8 * len(_USER)).to_bytes(2, "big") + _USER + constants + public[1:])
    e = int.from_bytes(SM3(za + message), "big")
    t = (r + s) % curve.n
    point = curve.two_products(s, t, key) if t else None
    return point is not None and (e + point[0]) % curve.n == r


def p256_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the DER ``signature`` of ``message`` (SHA-256) is by ``public``."""
    curve, key = P256_CURVE, P256_CURVE.point(public)
    integers = _two_integers(signature, curve.n)
    if key is None or integers is None:
        return False
    r, s = integers
    w = pow(s, -1, curve.n)
    e = int.from_bytes(sha256(message), "big")
    point = curve.two_products(e * w % curve.n, r * w % curve.n, key)
    return point is not None and point[0] % curve.n == r


VERIFY = {"sm2-sm3": sm2_verify, "ecdsa-p256-sha256": p256_verify}


# Ed25519 verification (RFC 8032 §5.1.7)

_Q = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _Q) % _Q
Extended = tuple[int, int, int, int]


def _ed_add(p: Extended, q: Extended) -> Extended:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _Q
    b = (p[1] + p[0]) * (q[1] + q[0]) % _Q
    c = 2 * p[3] * q[3] * _D % _Q
    d = 2 * p[2] * q[2] % _Q
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _Q, g * h % _Q, f * g % _Q, e * h % _Q


def _ed_times(scalar: int, point: Extended) -> Extended:
    total: Extended = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _ed_add(total, point)
        point = _ed_add(point, point)
        scalar >>= 1
    return total


def _ed_point(encoded: bytes) -> Extended | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= _Q:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _Q) % _Q
    x = pow(square, (_Q + 3) // 8, _Q)
    if (x * x - square) % _Q:
        x = x * pow(2, (_Q - 1) // 4, _Q) % _Q
    if (x * x - square) % _Q or (not x and sign):
        return None
    if x & 1 != sign:
        x = _Q - x
    return x, y, 1, x * y % _Q


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether ``signature`` of ``message`` is by ``public``."""
    base = _ed_point((4 * pow(5, -1, _Q) % _Q).to_bytes(32, "little"))
    if len(public) != 32 or len(signature) != 64 or base is None:  # noqa: PLR2004 - RFC 8032
        return False
    key, r = _ed_point(public), _ed_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % _L
    left, right = _ed_times(s, base), _ed_add(r, _ed_times(k, key))
    same_x = (left[0] * right[2] - right[0] * left[2]) % _Q == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % _Q == 0


# The ledger: verification keys, a signed checkpoint, an inclusion proof (C2SP, RFC 9162 §2.1.3.2)

Key = tuple[str, bytes, bytes]


def read_keys(text: str) -> list[Key]:
    """Return (name, key id, type and public key) of each vkey line."""
    keys = []
    for line in filter(None, text.split("\n")):
        name, _, rest = line.partition("+")
        raw = base64.b64decode(rest.partition("+")[2], validate=True)
        key_id = sha256(name.encode() + b"\n" + raw)[:4]
        if key_id.hex() != rest.partition("+")[0]:
            msg = f"the id of the key {name} does not belong to it"
            raise Bad(msg)
        keys.append((name, key_id, raw))
    return keys


def _verify_with(raw: bytes, message: bytes, signature: bytes) -> bool:
    if raw.startswith(SM2_KEY):
        return sm2_verify(raw[len(SM2_KEY) :], message, signature)
    return raw.startswith(ED25519_KEY) and ed25519_verify(raw[1:], message, signature)


def open_checkpoint(note: str, keys: list[Key]) -> tuple[int, bytes]:
    """Return size and root that a key named like the origin signed."""
    text, _, tail = note.rpartition("\n\n")
    text += "\n"
    origin, _, rest = text.partition("\n")
    size, _, root = rest.partition("\n")
    verified = 0
    for line in tail.split("\n")[:-1]:
        name, _, blob = line.removeprefix("— ").partition(" ")
        raw = base64.b64decode(blob, validate=True)
        for known in keys:
            if name == origin and known[:2] == (name, raw[:4]):
                if not _verify_with(known[2], text.encode(), raw[4:]):
                    msg = f"a signature of {name} on size {size} does not verify"
                    raise Bad(msg)
                verified += 1
    if not verified:
        msg = f"no known key signed the checkpoint of {origin[:80]!r}"
        raise Bad(msg)
    return int(size), base64.b64decode(root.partition("\n")[0], validate=True)


def root_by_path(digest: Hash, record: bytes, place: tuple[int, int], path: list[bytes]) -> bytes:
    """Return the root that a leaf's record leads to; ``place`` is (index, size)."""
    index, last = place[0], place[1] - 1
    if not 0 <= index <= last:
        msg = f"a tree of {place[1]} leaves has no leaf {place[0]}"
        raise Bad(msg)
    total = digest(b"\x00" + record)
    for sibling in path:
        if last == 0:
            msg = "the inclusion proof is too long"
            raise Bad(msg)
        if index & 1 or index == last:
            total = digest(b"\x01" + sibling + total)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            total = digest(b"\x01" + total + sibling)
        index, last = index >> 1, last >> 1
    if last:
        msg = "the inclusion proof is too short"
        raise Bad(msg)
    return total


def root_over(digest: Hash, records: list[bytes]) -> bytes:
    """Return the root over all records."""
    if not records:
        return digest(b"")
    level = [digest(b"\x00" + record) for record in records]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        last = level[-1:] if len(level) % 2 else []
        level = [digest(b"\x01" + left + right) for left, right in pairs] + last
    return level[0]


def check_ledger(record: bytes, proof_text: str, keys: list[Key]) -> tuple[int, int]:
    """Return index and tree size if the ledger holds ``record``; raise ``Bad``."""
    head, _, checkpoint = proof_text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) > 70:  # noqa: PLR2004 - 64 hashes
        msg = "the ledger's proof is of an unknown kind"
        raise Bad(msg)
    lines = [line for line in lines[1:] if not line.startswith("extra ")]
    index = int(lines[0].removeprefix("index "))
    size, root = open_checkpoint(checkpoint, keys)
    path = [base64.b64decode(line, validate=True) for line in lines[1:]]
    if root_by_path(sha256, record, (index, size), path) != root:
        msg = "the ledger's proof does not lead to the signed root"
        raise Bad(msg)
    return index, size


# The proof: claims, record, signatures, lists

ACTIONS = {"report": "audits.export_report", "archive": "audits.export_archive"}


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of objects with ASCII keys, of texts and whole numbers."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value's canonical form, hex."""
    return sha256(canonical(value)).hex()


def _once(pairs: list[tuple[str, Any]]) -> Json:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def parse(content: bytes) -> Any:
    """Return the JSON value; raise ValueError, also for a name that stands twice."""
    try:
        return json.loads(content.decode(), object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError from error


def check_seal(proof: Json, keys: list[Key]) -> Json:
    """Return what ledger and signatures prove of the claims; raise ``Bad``."""
    claims = proof["claims"]
    record_bytes = base64.b64decode(proof["record"], validate=True)
    if not isinstance(proof["ledger_proof"], str):
        msg = "the proof was made while the ledger could not sign: it proves nothing"
        raise Bad(msg)
    index, size = check_ledger(record_bytes, proof["ledger_proof"], keys)
    record = parse(record_bytes)
    details = record["details"]
    target = f"{claims['kind']}:{claims['sha256']}"
    about = (record["action"], record["target"], record["outcome"], details["claims"])
    same = all(details[name] == claims[name] for name in ("sm3", "findings", "evidence"))
    if about != (ACTIONS[claims["kind"]], target, "done", digest_of(claims)) or not same:
        msg = "the ledger's record is about something else"
        raise Bad(msg)
    message = canonical({"purpose": "govsecops report v2", **claims})
    signed = [_check_signature(entry, message, details["keys"]) for entry in proof["signatures"]]
    if sorted(signed) != sorted(details["keys"]) or not signed:
        msg = "the signatures are not those the ledger names"
        raise Bad(msg)
    return {
        "assessment": claims["assessment"],
        "issued_at": claims["issued_at"],
        "signed_by": signed,
        "entry": index,
        "tree_size": size,
        "recorded_at": record["at"],
        "template": claims.get("template", ""),
    }


def _check_signature(entry: Json, message: bytes, keys: Json) -> str:
    algorithm = str(entry["algorithm"])
    public = base64.b64decode(entry["public_key"], validate=True)
    if keys.get(algorithm) != sha256(public).hex():
        msg = "signed by a key that the ledger does not name"
        raise Bad(msg)
    prefix = SPKI.get(algorithm, b"?")
    signature = base64.b64decode(entry["signature"], validate=True)
    if not public.startswith(prefix) or not VERIFY[algorithm](
        public[len(prefix) :], message, signature
    ):
        msg = f"the {algorithm} signature does not verify"
        raise Bad(msg)
    return algorithm


def roots_of(records: list[bytes]) -> Json:
    """Return count and roots as they stand in claims."""
    sha, sm = root_over(sha256, records).hex(), root_over(SM3, records).hex()
    return {"count": len(records), "sha256": sha, "sm3": sm}


def check_lists(proof: Json) -> Json:
    """Return the document that the claims bind, its findings and the parts too; raise ``Bad``."""
    claims = proof["claims"]
    work = zlib.decompressobj()
    content = work.decompress(base64.b64decode(proof["document"], validate=True), MAX_DOCUMENT)
    if not work.eof or sha256(content).hex() != claims["document"]:
        msg = "the document in the proof was changed"
        raise Bad(msg)
    document: Json = parse(content)
    records = [canonical(item) for item in document["items"]]
    leaves = [
        [item["id"], sha256(b"\x00" + record).hex(), SM3(b"\x00" + record).hex()]
        for item, record in zip(document["items"], records, strict=True)
    ]
    facts = document["facts"]
    evidence = [canonical({"evidence": name, "sha256": facts[name]}) for name in sorted(facts)]
    if proof["findings"] != leaves or roots_of(records) != claims["findings"]:
        msg = "the list of findings in the proof was changed"
        raise Bad(msg)
    if roots_of(evidence) != claims["evidence"]:
        msg = "the evidence is not what the claims name"
        raise Bad(msg)
    if digest_of(proof["parts"]) != claims["parts"]:
        msg = "the list of parts in the proof was changed"
        raise Bad(msg)
    return document


# The parts of a file: [name, SHA-256 of what it says, SHA-256 of its marks or "", items]

Part = tuple[str, str, str, tuple[str, ...]]
Ids = Collection[str]


def part(name: str, content: bytes, marks: bytes = b"", items: Collection[str] = ()) -> Part:
    """Return the part ``name`` that says ``content``."""
    marked = sha256(marks).hex() if marks else ""
    return " ".join(name.split())[:160], sha256(content).hex(), marked, tuple(items)


def cut_by_item(text: str, ids: Ids) -> list[str]:
    """Return what stands before the first id, then each id and what stands after it, by turns."""
    ordered = sorted(ids, key=len, reverse=True)
    return re.split("(" + "|".join(map(re.escape, ordered)) + ")", text) if ordered else [text]


# JSON and OSCAL

HOLDERS = {"items", "findings", "observations", "risks", "poam-items"}


def json_parts(content: bytes, ids: Ids, prefix: str = "") -> list[Part]:
    """Return the parts of a JSON file; elements of lists are named by their item or id."""
    return list(_walk(parse(content), prefix, ids, 6))


def json_file_parts(content: bytes, ids: Ids) -> list[Part]:
    """Return the parts of a report in JSON, and its bytes from one item's id to the next."""
    return json_parts(content, ids) + byte_parts(content, ids)


def byte_parts(content: bytes, ids: Ids) -> list[Part]:
    """Return a file's bytes, cut at the items' ids: they have names even if it can't be parsed."""
    ordered = "|".join(map(re.escape, ids))
    pieces = re.split(f'"({ordered})"'.encode(), content) if ids else [content]
    parts = [part("bytes before the items", b"", pieces[0] or b"\x00")]
    for name, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        item = name.decode()
        parts.append(part(f"bytes after {item}", b"", piece or b"\x00", (item,)))
    return parts


def _walk(value: Any, path: str, ids: Ids, depth: int) -> Iterator[Part]:
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield from _walk(inner, f"{path[:1000]} {key[:1000]}", ids, depth - 1)
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for number, each in enumerate(value, 1):
            named = _item_of(each)
            name = named or str(each.get("code") or each.get("uuid") or number)
            where = f"{path[:1000]} {name[:1000]}"
            holds = any(key in HOLDERS and isinstance(one, list) for key, one in each.items())
            if depth and holds and named not in ids:
                yield from _walk(each, where, ids, depth - 1)
            else:
                yield part(where, canonical(each), items=(named,) if named in ids else ())
    else:
        yield part(path or "JSON", canonical(value))


def _item_of(element: Json) -> str:
    if isinstance(element.get("target"), dict):
        return str(element["target"].get("target-id", ""))
    for name in ("item", "id"):
        if isinstance(element.get(name), str):
            return str(element[name])
    props = element.get("props")
    for prop in props if isinstance(props, list) else []:
        if isinstance(prop, dict) and prop.get("name") in ("item", "item-id"):
            return str(prop.get("value", ""))
    return ""


# HTML

ITEM = re.compile(rb'<([a-zA-Z]{1,16})\b[^<>]{0,2000}?\bdata-item="([^"<>]{1,80})"[^<>]{0,2000}>')
HEADING = re.compile(rb"<h[1-4]\b[^<>]{0,2000}>(.{0,400}?)</h[1-4]>", re.DOTALL)
TAG = re.compile(rb"<[^<>]{0,4000}>")
COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
NAMED = re.compile(rb"data-item\W{1,6}([A-Za-z0-9_.-]{1,80})")


def html_parts(content: bytes, ids: Ids) -> list[Part]:
    """Return the parts of a page; it is cut by its bytes, so every byte is in one part."""
    parts: list[Part] = []
    start, heading = 0, "top"
    quiet = COMMENT.sub(lambda found: b" " * len(found[0]), content)
    while found := ITEM.search(quiet, start):
        heading = _between(content[start : found.start()], heading, parts, ids)
        start = _element_end(quiet, found)
        item = found[2].decode(errors="replace")
        marks = content[found.start() : start]
        parts.append(part(f"item {item}", _seen(marks), marks, (item,) if item in ids else ()))
    _between(content[start:], heading, parts, ids)
    return parts


def _element_end(content: bytes, found: re.Match[bytes]) -> int:
    limit = min(len(content), found.end() + (1 << 20))
    depth = 1
    tags = re.compile(rb"<(/?)" + found[1] + rb"\b[^<>]{0,2000}>")
    for tag in tags.finditer(content, found.end(), limit):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
    return limit


def _between(content: bytes, heading: str, parts: list[Part], ids: Ids) -> str:
    start = 0
    for found in HEADING.finditer(content):
        if found.start() > start:
            piece = content[start : found.start()]
            parts.append(part(f"section {heading}", _seen(piece), piece, _named(piece, ids)))
        start, heading = found.start(), _seen(found[1]).decode(errors="replace")
    if len(content) > start:
        piece = content[start:]
        parts.append(part(f"section {heading}", _seen(piece), piece, _named(piece, ids)))
    return heading


def _named(piece: bytes, ids: Ids) -> list[str]:
    """Return the items that a style or a comment between them is about."""
    names = dict.fromkeys(name.decode() for name in NAMED.findall(piece))
    return [name for name in names if name in ids]


def _seen(content: bytes) -> bytes:
    text = unescape(TAG.sub(b" ", content).decode(errors="replace"))
    return " ".join(text.split()).encode(errors="replace")


# DOCX and XLSX

STYLE = re.compile(rb'<w:pStyle w:val="(?:Heading|heading|Title|[1-6]")')
WORDS = re.compile(rb"<w:t(?: [^<>]*)?>([^<>]*)</w:t>")
SPAN = re.compile(rb"<t(?: [^<>]*)?>([^<>]*)</t>")
CELL = re.compile(rb"<c(?=[ />])([^<>]*)>")


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the members of a small zip file, within limits; raise ValueError."""
    members: dict[str, bytes] = {}
    left = MAX_UNPACKED
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        infos = archive.infolist()
        if len(infos) > 2_000 or len({info.filename for info in infos}) != len(infos):  # noqa: PLR2004
            msg = "it has too many members, or one twice"
            raise ValueError(msg)
        for info in infos:
            members[info.filename] = _member(content, archive, info, left)
            left -= len(members[info.filename])
            if left < 0:
                msg = "it unpacks to too many bytes"
                raise ValueError(msg)
    return members


def _member(content: bytes, archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> bytes:
    """Return a member, as far as it can be read: a damaged one still has rows to be named."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = "it is packed in a way that reports are not"
        raise ValueError(msg)
    try:
        with archive.open(info) as file:
            return file.read(left + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        start = info.header_offset + 30 + len(info.filename.encode()) + len(info.extra)
        deflated = content[start : start + info.compress_size]
    work, said = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    for at in range(0, len(deflated), 64):
        try:
            said += work.decompress(deflated[at : at + 64], left + 1)
        except zlib.error:
            break
        if len(said) > left:
            break
    return bytes(said)


def _joined(pattern: re.Pattern[bytes], xml: bytes) -> str:
    return unescape(b"".join(pattern.findall(xml)).decode(errors="replace"))


def _of_cells(where: str, texts: list[str], row: bytes, ids: Ids) -> Part:
    first = next((text.strip() for text in texts if text.strip()), "empty")
    item = first.split()[0]
    said = "\x1f".join(texts).encode(errors="replace")
    return part(f"{where} row {first}", said, row, (item,) if item in ids else ())


def _members(members: dict[str, bytes]) -> list[Part]:
    return [part(f"member {name}", b"", members[name] or b"\x00") for name in sorted(members)]


def docx_parts(content: bytes, ids: Ids) -> list[Part]:
    """Return the parts of a DOCX file."""
    members = unpacked(content)
    body = members.get("word/document.xml", b"")
    parts: list[Part] = []
    start, heading = 0, "top"
    for begin, end in _table_rows(body):
        heading = _paragraphs(body[start:begin], heading, parts, ids)
        texts = [_cell_text(cell) for cell in body[begin:end].split(b"</w:tc>")]
        parts.append(_of_cells(f"{heading}:", texts, body[begin:end], ids))
        start = end
    _paragraphs(body[start:], heading, parts, ids)
    return parts + _members(members)


def _cell_text(cell: bytes) -> str:
    lines = cell.replace(b"<w:br/>", b"</w:p>").split(b"</w:p>")
    return " ".join(filter(None, (_joined(WORDS, line) for line in lines)))


def _table_rows(body: bytes) -> Iterator[tuple[int, int]]:
    depth = begin = 0
    for tag in re.finditer(rb"<(/?)w:tr\b[^<>]*>", body):
        if not tag[1]:
            begin = begin if depth else tag.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield begin, tag.end()


def _paragraphs(body: bytes, heading: str, parts: list[Part], ids: Ids) -> str:
    texts: list[str] = []

    def section() -> None:
        if any(texts):
            said = "\n".join(texts)
            named = cut_by_item(said, ids)[1::2]
            parts.append(part(f"section {heading}", said.encode(errors="replace"), b"", named))

    for paragraph in body.split(b"</w:p>"):
        text = _joined(WORDS, paragraph)
        if STYLE.search(paragraph) and text.strip():
            section()
            heading, texts = text.strip(), []
        texts.append(text)
    section()
    return heading


def xlsx_parts(content: bytes, ids: Ids) -> list[Part]:
    """Return the parts of an XLSX file; shared strings count in the rows that show them."""
    members = unpacked(content)
    strings = members.get("xl/sharedStrings.xml", b"").replace(b"<si/>", b"</si>")
    shared = [_joined(SPAN, each) for each in strings.split(b"</si>")]
    parts: list[Part] = []
    left = MAX_UNPACKED
    for name, member in _sheets(members):
        for row in members.get(member, b"").split(b"</row>"):
            starts = list(CELL.finditer(row))
            ends = [*(start.start() for start in starts[1:]), len(row)][: len(starts)]
            texts = []
            for start, end in zip(starts, ends, strict=True):
                texts.append(_cell(start[1], row[start.end() : end], shared))
                left -= len(texts[-1])
                if left < 0:  # many cells may show one long string
                    msg = "its cells show too many characters"
                    raise ValueError(msg)
            if any(texts):
                parts.append(_of_cells(f"sheet {name}:", texts, row, ids))
    return parts + _members(members)


def _sheets(members: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    targets: dict[bytes, bytes] = {}
    for tag in re.findall(
        rb"<Relationship\b[^<>]*>", members.get("xl/_rels/workbook.xml.rels", b"")
    ):
        named = dict(re.findall(rb'\b(Id|Target)="([^"<>]*)"', tag))
        targets[named.get(b"Id", b"")] = named.get(b"Target", b"")
    pattern = rb'<sheet\b[^<>]*?\bname="([^"<>]*)"[^<>]*?\br:id="([^"<>]*)"'
    for name, relation in re.findall(pattern, members.get("xl/workbook.xml", b"")):
        target = targets.get(relation, b"").decode(errors="replace")
        member = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        yield unescape(name.decode(errors="replace")), member


def _cell(attributes: bytes, inner: bytes, shared: list[str]) -> str:
    value = _joined(re.compile(rb"<v>([^<>]*)</v>"), inner)
    if b't="s"' in attributes and value.isascii() and value.isdigit():
        number = int(value[:9])
        value = shared[number] if number < len(shared) else f"shared string {number}"
    elif b't="inlineStr"' in attributes:
        value = _joined(SPAN, inner)
    formula = _joined(re.compile(rb"<f\b[^<>]*>([^<>]*)</f>"), inner)
    return f"={formula}\x1e{value}" if formula else value


# PDF: objects in the open, streams bare or deflated, glyphs of two bytes with a ToUnicode map

SHOWN = re.compile(
    rb"/([A-Za-z0-9_.+-]{1,64}) -?[\d.]{1,16} Tf"
    rb"|\(((?:[^()\\]|\\.){0,65535})\)|<([0-9A-Fa-f]{2,65534})>",
    re.DOTALL,
)
RANGE = re.compile(rb"<([0-9A-Fa-f]{4})> ?<([0-9A-Fa-f]{4})> ?<([0-9A-Fa-f]{4,8})>")
PAIR = re.compile(rb"<([0-9A-Fa-f]{4})> ?<([0-9A-Fa-f]{4,64})>\s")
REFERENCE = re.compile(rb"(\d{1,9}) \d{1,5} R")
Object = tuple[bytes, bytes, bool]
"""Dictionary, data of the stream, and whether it could be inflated."""


def pdf_parts(content: bytes, ids: Ids) -> list[Part]:
    """Return the parts of a PDF file."""
    objects, rest = _objects(content)
    fonts = {n: _glyphs(objects, one[0]) for n, one in objects.items() if b"/ToUnicode" in one[0]}
    if len(fonts) > 64:  # noqa: PLR2004 - ours have a few
        msg = "it has too many fonts"
        raise ValueError(msg)
    parts: list[Part] = []
    pages = [one[0] for one in objects.values() if re.search(rb"/Type ?/Page\b(?!s)", one[0])]
    left = MAX_UNPACKED
    for number, page in enumerate(pages, 1):
        drawn = _drawn(page, objects)
        left -= sum(len(one[1]) for one in drawn)
        if left < 0:
            msg = "its pages draw too many bytes"
            raise ValueError(msg)
        parts += _page(number, drawn, _page_fonts(page, objects, fonts), ids)
    plain = bytearray()
    for number, one in objects.items():
        if re.search(rb"/Type ?/EmbeddedFile\b(?!s)", one[0]) and one[2]:
            parts += _attachment(one[1], ids)
        if one[1]:
            parts.append(part(f"object {number}", b"", one[0] + b"\x00" + one[1]))
        else:
            plain += b"%d\x00%d\x00" % (number, len(one[0])) + one[0]
    parts.append(part("objects without streams", b"", bytes(plain) or b"\x00"))
    parts.append(part("between the objects", b"", rest or b"\x00"))
    return parts


def _objects(content: bytes) -> tuple[dict[int, Object], bytes]:
    starts = list(re.finditer(rb"(?:^|[\r\n])(\d{1,9}) (\d{1,5}) obj\b", content))
    if not starts or len(starts) > 100_000:  # noqa: PLR2004 - a limit
        msg = "it is no PDF file with readable objects"
        raise ValueError(msg)
    objects: dict[int, Object] = {}
    left, place, rest = MAX_UNPACKED, 0, []
    for start in starts:
        if start.start() >= place:  # otherwise it stood inside a stream
            rest.append(content[place : start.start()])
            one, place = _object(content, start.end(), left)
            left -= len(one[1])
            if left < 0:
                msg = "it unpacks to too many bytes"
                raise ValueError(msg)
            objects[int(start[1])] = one  # a later one of the same number is what readers show
    return objects, b"".join([*rest, content[place:]])


def _object(content: bytes, start: int, left: int) -> tuple[Object, int]:
    end = content.find(b"endobj", start)
    end = len(content) if end < 0 else end
    stream = re.compile(rb"\bstream\r?\n").search(content, start, end)
    if stream is None:
        return (content[start:end], b"", True), end + 6
    head = content[start : stream.start()]
    length = re.search(rb"/Length (\d{1,9})\b(?! \d)", head)
    stop = stream.end() + int(length[1]) if length else content.find(b"endstream", start)
    stop = stop if 0 <= stop <= len(content) else len(content)
    raw = content[stream.end() : stop]
    closing = content.find(b"endobj", stop)
    closing = len(content) if closing < 0 else closing
    head += content[stop:closing]
    if b"/FlateDecode" not in head:
        return (head, raw, True), closing + 6
    work = zlib.decompressobj()
    try:
        data = work.decompress(raw, left + 1)
    except zlib.error:
        return (head, raw, False), closing + 6
    if len(data) > left:
        msg = "it unpacks to too many bytes"
        raise ValueError(msg)
    sound = work.eof and not work.unused_data
    return (head, data if sound else raw, sound), closing + 6


def _drawn(page: bytes, objects: dict[int, Object]) -> list[Object]:
    found = re.search(rb"/Contents ?\[?((?: ?\d{1,9} \d{1,5} R)+)", page)
    numbers = (int(number) for number in REFERENCE.findall(found[1] if found else b""))
    return [objects[number] for number in numbers if number in objects]


def _page(number: int, drawn: list[Object], fonts: Json, ids: Ids) -> Iterator[Part]:
    data = b"\n".join(one[1] for one in drawn)
    if not all(one[2] for one in drawn):
        yield part(f"page {number}", b"unreadable" + data)
        return
    pieces = cut_by_item(_text(data, fonts), ids)
    named = ["", *pieces[1::2]]
    for name, said in zip(named, pieces[::2], strict=True):
        where = f"page {number}: {name or 'before its items'}"
        yield part(where, said.encode(errors="replace"), items=(name,) if name else ())
    yield part(f"page {number}", b"", data or b"\x00", list(dict.fromkeys(named[1:])))


def _page_fonts(page: bytes, objects: dict[int, Object], fonts: dict[int, Json]) -> Json:
    found = re.search(rb"/Resources (\d{1,9}) \d{1,5} R", page)
    holder = objects[int(found[1])][0] if found and int(found[1]) in objects else page
    listed = re.search(rb"/Font ?<<(.{0,8000}?)>>", holder, re.DOTALL)
    pairs = re.findall(
        rb"/([A-Za-z0-9_.+-]{1,64}) (\d{1,9}) \d{1,5} R", listed[1] if listed else b""
    )
    return {name: fonts.get(int(number), {}) for name, number in pairs}


def _glyphs(objects: dict[int, Object], font: bytes) -> Json:
    found = re.search(rb"/ToUnicode (\d{1,9}) \d{1,5} R", font)
    cmap = objects.get(int(found[1]), (b"", b"", True))[1] if found else b""
    known: dict[Any, Any] = {}
    left = 1 << 16
    for low, high, first in RANGE.findall(cmap):
        start = int(low, 16)
        for offset in range(min(int(high, 16) - start + 1, left)):
            known[start + offset] = chr(min(int(first, 16) + offset, 0x10FFFF))
            left -= 1
    for glyph, characters in PAIR.findall(RANGE.sub(b"", cmap))[: 1 << 16]:
        text = bytes.fromhex(characters.decode()[: len(characters) // 4 * 4])
        known[int(glyph, 16)] = text.decode("utf-16-be", errors="replace")
    return known


def _text(data: bytes, fonts: Json) -> str:
    font: dict[Any, Any] = {}
    shown: list[str] = []
    for name, literal, digits in SHOWN.findall(data):
        if name:
            font = fonts.get(name, {})
            continue
        codes = (
            _literal(literal)
            if literal
            else bytes.fromhex(digits.decode() + "0" * (len(digits) % 2))
        )
        pairs = (codes[at : at + 2] for at in range(0, len(codes), 2))
        shown += [font.get(int.from_bytes(pair, "big"), "\ufffd") for pair in pairs]
    return "".join(shown)


def _literal(escaped: bytes) -> bytes:
    letters = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[:1].isdigit():
            return bytes([int(code, 8) & 0xFF])
        return letters.get(code, b"" if code in (b"\r\n", b"\n", b"\r") else code)

    return re.sub(rb"\\([0-7]{1,3}|\r\n|.)", one, escaped, flags=re.DOTALL)


def _attachment(data: bytes, ids: Ids) -> list[Part]:
    try:
        return json_parts(data, ids, "attachment")
    except ValueError:
        return [part("attachment", data)]


MOST_PARTS = 20_000


def folded(parts: list[Part]) -> list[Part]:
    """Return at most ``MOST_PARTS``: of a longer list the rest is one part."""
    if len(parts) <= MOST_PARTS:
        return parts
    rest = [[*one[:3], list(one[3])] for one in parts[MOST_PARTS - 1 :]]
    return [*parts[: MOST_PARTS - 1], part("all the rest", canonical({"parts": rest}))]


READERS: dict[str, Callable[[bytes, Ids], list[Part]]] = {
    "html": html_parts,
    "json": json_file_parts,
    "oscal": json_file_parts,
    "oscal-poam": json_file_parts,
    "docx": docx_parts,
    "xlsx": xlsx_parts,
    "pdf": pdf_parts,
}


# What was changed


def _change(how: str, name: str, items: Collection[str] = ()) -> Json:
    return {"how": how, "part": name, "items": list(items)}


def _by_place(parts: Collection[Part]) -> dict[tuple[str, int], Part]:
    seen: Counter[str] = Counter()
    placed = {}
    for each in parts:
        seen[each[0]] += 1
        placed[each[0], seen[each[0]]] = each
    return placed


def compare(signed: Collection[Part], found: Collection[Part]) -> list[Json]:
    """Return what differs between the signed parts and those of the file at hand."""
    before, after = _by_place(signed), _by_place(found)
    both = [key for key in before if key in after]
    changes = [
        _change("changed", key[0], dict.fromkeys((*before[key][3], *after[key][3])))
        for key in both
        if before[key][1] != after[key][1]
    ]
    changes += [
        _change("missing", one[0], one[3]) for key, one in before.items() if key not in after
    ]
    changes += [_change("added", one[0], one[3]) for key, one in after.items() if key not in before]
    marked = [
        key for key in both if before[key][1] == after[key][1] and before[key][2] != after[key][2]
    ]
    if 2 * len(marked) > len(before):
        changes.append(_change("marked", "the whole file, as if saved by another program"))
    else:
        changes += [_change("marked", key[0], before[key][3]) for key in marked]
    if not changes:
        moved = [key for key, other in zip(before, after, strict=True) if key != other]
        changes += [_change("moved", key[0], before[key][3]) for key in moved[:1]]
    return changes


def what_changed(form: str, content: bytes, ids: Ids, signed: list[Any]) -> list[Json]:
    """Return what a changed file differs in, whatever was made of it."""
    parts = [(name, said, marks, tuple(items)) for name, said, marks, items in signed]
    said = [one for one in parts if not one[0].startswith("bytes ")]
    written = [one for one in parts if one[0].startswith("bytes ")]
    try:
        found = folded(READERS[form](content, ids))
    except (
        ValueError,
        LookupError,
        OSError,
        EOFError,
        RuntimeError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        broken = _change("unreadable", f"the whole file: {str(error) or type(error).__name__}")
        return [broken, *(compare(written, byte_parts(content, ids)) if written else ())]
    changes = compare(said, [one for one in found if not one[0].startswith("bytes ")])
    if not changes:
        changes = compare(written, [one for one in found if one[0].startswith("bytes ")])
    return changes or [_change("marked", "bytes that no part of the report lies in")]


# Reports, findings, archives


def verify_report(content: bytes, proof_bytes: bytes, keys: list[Key]) -> Json:
    """Return what was proved of a report's file; raise ``Bad`` with what was changed."""
    proof = _proof(proof_bytes, "govsecops-report-proof", 2)
    proved = check_seal(proof, keys)
    document = check_lists(proof)
    claims = proof["claims"]
    found = {"sha256": sha256(content).hex(), "sm3": SM3(content).hex(), "length": len(content)}
    wrong = [name for name, value in found.items() if claims[name] != value]
    if wrong:
        ids = [item["id"] for item in document["items"]]
        changes = what_changed(claims["form"], content, ids, proof["parts"])
        msg = f"the {claims['kind']} was changed: its {wrong[0]} differs"
        raise Bad(msg, changes)
    return {"valid": True, "form": claims["form"], **found, **proved}


def _proof(content: bytes, kind: str, version: int) -> Json:
    proof = parse(content) if len(content) <= MAX_PROOF else None
    if not isinstance(proof, dict) or (proof.get("kind"), proof.get("v")) != (kind, version):
        msg = "the proof is of an unknown kind"
        raise Bad(msg)
    return proof


def verify_finding(content: bytes, keys: list[Key]) -> Json:
    """Return what was proved of one finding; raise ``Bad``."""
    finding = _proof(content, "govsecops-finding-proof", 1)
    proved = check_seal(finding, keys)
    roots, record = finding["claims"]["findings"], canonical(finding["item"])
    for name, digest in (("sha256", sha256), ("sm3", SM3)):
        path = [bytes.fromhex(value) for value in finding["paths"][name]]
        root = root_by_path(digest, record, (finding["index"], roots["count"]), path)
        if root.hex() != roots[name]:
            msg = f"the finding {finding['item'].get('id')} was changed: its {name} root differs"
            raise Bad(msg, [_change("changed", "finding", [str(finding["item"].get("id"))])])
    return {"valid": True, "item": finding["item"], **proved}


SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,120}(?:/[A-Za-z0-9][A-Za-z0-9._@-]{0,120}){0,4}\Z")
MANIFEST = "manifest.json"


def _demand_whole(archive: zipfile.ZipFile) -> None:
    """Raise ``Bad`` unless members lie side by side and fill the file.

    Between them, before or behind them other members could lie, which another program would show.
    """
    place, source = 0, archive.fp
    msg = "the archive holds bytes that none of its files lies in"
    if source is None:
        raise Bad(msg)
    for info in sorted(archive.infolist(), key=lambda each: each.header_offset):
        source.seek(info.header_offset)
        header = source.read(30)
        if info.header_offset != place or len(header) != 30:  # noqa: PLR2004 - its fixed part
            raise Bad(msg, [_change("added", f"bytes before {info.filename}")])
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        place += 30 + names + info.compress_size
        if info.flag_bits & 8:  # a descriptor of 12 to 24 bytes may follow
            source.seek(place)
            behind = source.read(28)
            marks = [b"PK\x03\x04", b"PK\x01\x02"]
            ends = [n for n in (12, 16, 20, 24) if behind[n : n + 4] in marks]
            place += ends[0] if ends else 0
    listed = sum(
        46 + len(info.orig_filename.encode()) + len(info.extra) + len(info.comment)
        for info in archive.infolist()
    )
    length = source.seek(0, os.SEEK_END)
    if place != archive.start_dir or archive.comment or length - place - listed not in (22, 98):
        raise Bad(msg, [_change("added", "bytes behind its files")])


class Archive:
    """A .zip file or a folder; nothing is ever written or unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip = None if path.is_dir() else zipfile.ZipFile(path)
        self.names = self._listed_zip(self._zip) if self._zip else self._listed_folder()
        if len(self.names) > MAX_ENTRIES:
            msg = f"an archive has at most {MAX_ENTRIES} files"
            raise Bad(msg)
        unsafe = [name for name in self.names if not SAFE.match(name) or ".." in name]
        same = [name for name, n in Counter(map(str.lower, self.names)).items() if n > 1]
        if unsafe or same:
            msg = "the archive holds names that lead elsewhere, or one twice"
            raise Bad(msg, [_change("added", name) for name in (*unsafe, *same)])

    @staticmethod
    def _listed_zip(archive: zipfile.ZipFile) -> list[str]:
        _demand_whole(archive)
        infos = [info for info in archive.infolist() if not info.is_dir()]
        folders = [info for info in archive.infolist() if info.is_dir()]
        holders = {info.filename.rpartition("/")[0] + "/" for info in infos}
        strange = [
            info.filename
            for info in folders
            if info.file_size or not any(name.startswith(info.filename) for name in holders)
        ]
        if strange:
            msg = "the archive holds folders that are none of ours"
            raise Bad(msg, [_change("added", name) for name in strange])
        links = [info.filename for info in infos if stat.S_ISLNK(info.external_attr >> 16)]
        if links or sum(info.file_size for info in infos) > MAX_ARCHIVE:
            msg = "the archive holds links, or more than a GiB"
            raise Bad(msg, [_change("added", name) for name in links])
        return [info.filename for info in infos]

    def _listed_folder(self) -> list[str]:
        names = []
        for folder, inner, files in os.walk(self._path):
            for name in (*inner, *files):
                if (Path(folder) / name).is_symlink():
                    msg = "the archive holds links"
                    raise Bad(msg, [_change("added", name)])
            strange = [name for name in files if not (Path(folder) / name).is_file()]
            if strange:
                msg = "the archive holds what is no file"
                raise Bad(msg, [_change("added", name) for name in strange])
            names += [(Path(folder) / name).relative_to(self._path).as_posix() for name in files]
        return names

    def read(self, name: str, most: int = MAX_REPORT) -> bytes:
        """Return a file's content; raise ``Bad`` beyond ``most`` bytes."""
        if self._zip is None:
            with (self._path / name).open("rb") as file:
                content = file.read(most + 1)
        else:
            with self._zip.open(name) as member:
                content = member.read(most + 1)
        if len(content) > most:
            msg = f"{name} is longer than any of ours"
            raise Bad(msg)
        return content

    def try_read(self, name: str) -> bytes | None:
        """Return a file's content; None where it can't be read whole."""
        try:
            return self.read(name)
        except (Bad, KeyError, OSError, EOFError, ValueError, RuntimeError, zlib.error):
            return None
        except zipfile.BadZipFile:
            return None


def verify_archive(archive: Archive, keys: list[Key]) -> Json:
    """Return what was proved of an archive and of each report in it; raise ``Bad``."""
    content = archive.try_read(MANIFEST)
    proof = archive.try_read(f"{MANIFEST}.proof")
    if content is None or proof is None:
        msg = "it is no archive of an assessment: there is no manifest, or no proof of it"
        raise Bad(msg)
    proved = verify_report(content, proof, keys)
    if proved["form"] != "archive":
        msg = "its manifest is a report and no manifest"
        raise Bad(msg, [_change("changed", MANIFEST)])
    manifest = parse(content)
    changes = _compare_files(archive, manifest["files"], keys)
    if changes:
        msg = "the archive was changed"
        raise Bad(msg, changes)
    reports = {}
    for entry in manifest["files"]:
        name = entry["path"]
        if f"{name}.proof" in archive.names and name != MANIFEST:
            reports[name] = verify_report(archive.read(name), archive.read(f"{name}.proof"), keys)
            if reports[name]["assessment"] != proved["assessment"]:
                msg = f"{name} is a report of another assessment"
                raise Bad(msg, [_change("changed", name)])
    _check_evidence(manifest, parse(_document(proof)))
    proved |= {"files": len(manifest["files"]), "reports": sorted(reports)}
    return proved | {"missing_evidence": manifest["missing_evidence"]}


def _document(proof: bytes) -> bytes:
    return zlib.decompress(base64.b64decode(parse(proof)["document"]))


def _compare_files(archive: Archive, files: list[Json], keys: list[Key]) -> list[Json]:
    listed = {entry["path"]: entry for entry in files}
    present = set(archive.names) - {MANIFEST, f"{MANIFEST}.proof"}
    changes = [_change("missing", name) for name in sorted(set(listed) - present)]
    changes += [_change("added", name) for name in sorted(present - set(listed))]
    for name in sorted(present & set(listed)):
        content, entry = archive.try_read(name), listed[name]
        if content is None:
            changes.append(_change("unreadable", name))
            continue
        found = (len(content), sha256(content).hex(), SM3(content).hex())
        if found != (entry["size"], entry["sha256"], entry["sm3"]):
            changes += _inside(archive, name, content, keys)
    return changes


def _inside(archive: Archive, name: str, content: bytes, keys: list[Key]) -> list[Json]:
    """Return what changed inside a file: by its own proof where it has one that holds."""
    proof = archive.try_read(f"{name}.proof") if f"{name}.proof" in archive.names else None
    try:
        if proof is not None:
            verify_report(content, proof, keys)
    except Bad as error:
        inner = [{**each, "part": f"{name}: {each['part']}"} for each in error.changes]
        return inner or [_change("changed", name)]
    except (KeyError, TypeError, ValueError, LookupError, AttributeError, zlib.error):
        return [_change("changed", name)]
    return [_change("changed", name)]


def _check_evidence(manifest: Json, document: Json) -> None:
    kept = {entry["path"] for entry in manifest["files"]}
    gone = set(manifest["missing_evidence"])
    for name, digest in document["facts"].items():
        if f"evidence/{digest}.json" not in kept and digest not in gone:
            msg = f"the evidence {name} is not in the archive"
            raise Bad(msg, [_change("missing", f"evidence/{digest}.json")])
    for entry in manifest["files"]:
        folder, _, file = entry["path"].partition("/")
        if folder == "evidence" and file.partition(".")[0] != entry["sha256"]:
            msg = "evidence lies under a name that is not its digest"
            raise Bad(msg, [_change("changed", entry["path"])])


# The command line

BESIDE = (
    "the verification keys lay beside the file: whoever made both anew would look as valid."
    " Compare with keys kept elsewhere: --vkeys"
)


def find_keys(path: Path, given: Path | None) -> tuple[list[Key], str]:
    """Return the verification keys and where they came from; raise OSError without any."""
    places = [given] if given else [path / "vkeys", path.parent / "vkeys"]
    for place in places:
        if place.is_file():
            return read_keys(place.read_text(encoding="utf-8")), str(place)
    if given is None and zipfile.is_zipfile(path):
        content = Archive(path).try_read("vkeys")
        if content is not None:
            return read_keys(content.decode()), f"{path}/vkeys"
    msg = "no verification keys: name them with --vkeys"
    raise FileNotFoundError(msg)


def _is_archive(path: Path) -> bool:
    if path.is_dir():
        return True
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return path.suffix == ".zip"


def verify(path: Path, proof: Path | None, keys: list[Key]) -> Json:
    """Return the verdict on what lies at ``path``."""
    if proof is None and _is_archive(path):
        return verify_archive(Archive(path), keys)
    if path.stat().st_size > MAX_REPORT:
        msg = f"a report has at most {MAX_REPORT} bytes"
        raise Bad(msg)
    content = path.read_bytes()
    proof = proof or path.with_name(f"{path.name}.proof")
    if not proof.is_file() and b'"govsecops-finding-proof"' in content[: 1 << 20]:
        return verify_finding(content, keys)
    if not proof.is_file():
        msg = f"there is no {proof.name}"
        raise Bad(msg)
    if proof.stat().st_size > MAX_PROOF:
        msg = "the proof is larger than any of ours"
        raise Bad(msg)
    return verify_report(content, proof.read_bytes(), keys)


def main(arguments: list[str]) -> int:
    """Verify and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--proof", type=Path)
    parser.add_argument("--vkeys", type=Path)
    options = parser.parse_args(arguments)
    if not options.file.exists():
        sys.stderr.write(f"verify_report: there is no {options.file}\n")
        return 2
    verdict: Json = {"valid": False, "why": "", "changes": []}
    try:
        keys, place = find_keys(options.file, options.vkeys)
    except (OSError, ValueError, Bad) as error:
        sys.stderr.write(f"verify_report: {error}\n")
        return 2
    try:
        verdict |= verify(options.file, options.proof, keys)
    except PermissionError as error:
        sys.stderr.write(f"verify_report: {error}\n")
        return 2
    except Bad as error:
        verdict |= {"why": str(error), "changes": error.changes}
    except (KeyError, TypeError, ValueError, LookupError, AttributeError) as error:
        verdict |= {"why": f"it is malformed: {type(error).__name__} {error}"[:300]}
    except (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        verdict |= {"why": f"it can't be read: {error}"[:300]}
    if verdict["valid"]:
        verdict |= {"keys_from": place}
        verdict.pop("why")
        if options.vkeys is None:
            verdict["warning"] = BESIDE
            sys.stderr.write(f"verify_report: {BESIDE}\n")
    items = [item for change in verdict["changes"] for item in change["items"]]
    verdict["changed_items"] = list(dict.fromkeys(items))
    sys.stdout.write(json.dumps(verdict, ensure_ascii=False, indent=2) + "\n")
    return 0 if verdict["valid"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
