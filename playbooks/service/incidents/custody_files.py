"""Exports of custody verified over files alone: no home, no account, no network."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import orjson

from playbooks.core.custody import verify_export
from playbooks.errors.custody import CustodyRejected
from secops.crypto.hashes import sm3
from secops.kernel.clock import to_rfc3339

_PEM: Final = re.compile(r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)-----END PUBLIC KEY-----")


def verify_custody_files(export: bytes, keys: str, contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the export proves of every item; raise ``CustodyRejected``.

    ``keys`` is PEM of one or more public keys, kept elsewhere than the export. Each of
    ``contents`` must be an item of it, by size and both digests.
    """
    try:
        document = orjson.loads(export)
    except orjson.JSONDecodeError as error:
        raise CustodyRejected("the export is not JSON") from error
    chains = verify_export(document, read_keys(keys))
    known = {(chain.size, chain.sha256, chain.sm3): chain.evidence_id for chain in chains}
    matched = {}
    for name, content in contents.items():
        digests = (len(content), hashlib.sha256(content).hexdigest(), sm3(content).hex())
        if digests not in known:
            raise CustodyRejected(f"{name} is no item of this export")
        matched[name] = known[digests]
    return {
        "valid": True,
        "incident_id": document["statement"]["incident_id"],
        "made_at": to_rfc3339(document["statement"]["made_at"]),
        "evidence": [asdict(chain) for chain in chains],
        "files": matched,
    }


def read_keys(text: str) -> dict[str, bytes]:
    """Return the public keys of PEM ``text`` by SHA-256 of their SPKI."""
    keys = {}
    for body in _PEM.findall(text):
        try:
            der = base64.b64decode(body, validate=False)
        except binascii.Error as error:
            raise CustodyRejected("the keys can't be read") from error
        keys[hashlib.sha256(der).hexdigest()] = der
    if not keys:
        raise CustodyRejected("no public key is given")
    return keys
