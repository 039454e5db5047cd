#!/usr/bin/env python3
"""Verify an export of custody with nothing but Python, offline.

    verify_custody.py EXPORT --keys PEM [--file FILE …]

EXPORT is what `secops playbooks export-custody` wrote, PEM what `custody-keys` wrote and was kept
elsewhere. The statement's signature, every link's signature (SM2), the order of links, who gave to
whom, and that no chain was left out or cut off are checked; each FILE must be an item of it. Needs
verify_ledger.py beside it and no code of the product. Prints JSON; exit 0 it verifies, 1 it does
not, 2 it can't be read.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
from pathlib import Path
from typing import Any

if __package__:
    from tools.verify_ledger import Bad, quick_sm3, sha256, sm2_verify
else:  # run as a script, it stands in the same folder
    from verify_ledger import Bad, quick_sm3, sha256, sm2_verify

RECORD = "govsecops.custody/1"
STATEMENT = "govsecops.custody-statement/1"
EXPORT = "govsecops.custody-export/1"
MAX_FILE = 64 << 20
MAX_LINKS = 1_000
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
CONSTANT = ("org_id", "incident_id", "evidence_id", "size", "sha256", "sm3")
TEXTS = ("format", "org_id", "incident_id", "evidence_id", "name", "sha256", "sm3", "act")
TEXTS += ("previous", "giver", "receiver", "reason")
NUMBERS = ("size", "seq", "offered_at", "at")

Json = dict[str, Any]


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of objects with ASCII keys, of texts and whole numbers."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def read_keys(text: str) -> dict[str, bytes]:
    """Return the points of SM2 public keys (PEM) by SHA-256 of their SPKI."""
    keys = {}
    pattern = r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)-----END PUBLIC KEY-----"
    for body in re.findall(pattern, text):
        der = base64.b64decode(body)
        if not der.startswith(SPKI):
            msg = "a key is not of SM2"
            raise Bad(msg)
        keys[sha256(der).hex()] = der[len(SPKI) :]
    return keys


def check_signature(message: Json, signature: Json, keys: dict[str, bytes], what: str) -> None:
    """Raise ``Bad`` unless one of ``keys`` signed ``message``."""
    known = set(signature) == {"kid", "value", "algorithm"} and signature["kid"] in keys
    if not known or signature["algorithm"] != "sm2-sm3":
        msg = f"{what} is not signed by a known key"
        raise Bad(msg)
    value = bytes.fromhex(signature["value"])
    if not sm2_verify(keys[signature["kid"]], canonical(message), value):
        msg = f"the signature of {what} does not fit"
        raise Bad(msg)


def check_record(record: Json, number: int, head: str) -> None:
    """Raise ``Bad`` unless ``record`` is link ``number`` and follows ``head``."""
    texts = all(type(record.get(name)) is str for name in TEXTS)
    numbers = all(type(record.get(name)) is int for name in NUMBERS)
    if set(record) != {*TEXTS, *NUMBERS} or not (texts and numbers) or record["format"] != RECORD:
        msg = f"link {number} is no record of custody"
        raise Bad(msg)
    act = "kept" if number == 1 else "transferred"
    if (record["seq"], record["act"], record["previous"]) != (number, act, head):
        msg = f"link {number} is out of place"
        raise Bad(msg)


def check_follows(last: Json, record: Json) -> None:
    """Raise ``Bad`` unless what ``last`` gave is what goes on in ``record``."""
    number = record["seq"]
    if any(record[name] != last[name] for name in CONSTANT):
        msg = f"link {number} is of other evidence"
        raise Bad(msg)
    if record["giver"] != last["receiver"] or record["receiver"] == record["giver"]:
        msg = f"link {number} was given by who did not hold it, or to the giver"
        raise Bad(msg)
    if not last["at"] <= record["offered_at"] <= record["at"]:
        msg = f"link {number} lies before the one before it"
        raise Bad(msg)


def verify_chain(links: list[Json], keys: dict[str, bytes]) -> Json:
    """Return what a chain proves; raise ``Bad``."""
    if not 0 < len(links) <= MAX_LINKS:
        msg = f"a chain has 1 to {MAX_LINKS} links"
        raise Bad(msg)
    head, last = "", links[0]["record"]
    for number, link in enumerate(links, 1):
        record = link["record"]
        check_record(record, number, head)
        if number > 1:
            check_follows(last, record)
        check_signature(record, link["signature"], keys, f"link {number}")
        whole = {"record": record, "signature": link["signature"]}
        head, last = sha256(canonical(whole)).hex(), record
    item = {name: last[name] for name in ("evidence_id", "size", "sha256", "sm3")}
    return {**item, "holder": last["receiver"], "links": len(links), "head": head}


def verify(document: Json, keys: dict[str, bytes], files: list[Path]) -> Json:
    """Return what an export proves; raise ``Bad``."""
    statement = document["statement"]
    if (document["format"], statement["format"]) != (EXPORT, STATEMENT):
        msg = "this is no export of custody"
        raise Bad(msg)
    check_signature(statement, document["signature"], keys, "the statement")
    chains = [verify_chain(links, keys) for links in document["chains"]]
    heads = [{name: c[name] for name in ("evidence_id", "links", "head")} for c in chains]
    incidents = {links[0]["record"]["incident_id"] for links in document["chains"]}
    if heads != statement["heads"] or not incidents <= {statement["incident_id"]}:
        msg = "the chains are not those that the statement names"
        raise Bad(msg)
    sm3 = quick_sm3()
    known = {(c["size"], c["sha256"], c["sm3"]): c["evidence_id"] for c in chains}
    matched = {}
    for path in files:
        content = path.read_bytes()
        digests = (len(content), sha256(content).hex(), sm3(content).hex())
        if digests not in known:
            msg = f"{path} is no item of this export"
            raise Bad(msg)
        matched[str(path)] = known[digests]
    return {
        "valid": True,
        "incident_id": statement["incident_id"],
        "made_at": statement["made_at"],
        "evidence": chains,
        "files": matched,
    }


def main(arguments: list[str]) -> int:
    """Verify and print."""
    parser = argparse.ArgumentParser(description="Verify an export of custody, offline.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--file", type=Path, action="append", default=[])
    options = parser.parse_args(arguments)
    try:
        if options.export.stat().st_size > MAX_FILE:
            sys.stderr.write(f"an export has at most {MAX_FILE} bytes" + "\n")
            return 2
        document = json.loads(options.export.read_bytes())
        keys = read_keys(options.keys.read_text())
    except (OSError, ValueError, binascii.Error, Bad) as error:
        sys.stderr.write(f"it can't be read: {error}" + "\n")
        return 2
    try:
        verdict = verify(document, keys, options.file)
    except (Bad, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        why = str(error) or type(error).__name__
        sys.stdout.write(json.dumps({"valid": False, "why": why}, ensure_ascii=False) + "\n")
        return 1
    sys.stdout.write(json.dumps(verdict, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
