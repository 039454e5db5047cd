#!/usr/bin/env python3
"""Verify the receipt of a seal's use with nothing but Python, offline.

    verify_receipt.py RECEIPT [--vkeys FILE] [--document FILE] [--value FILE]

RECEIPT is what `secops kms show-receipt` wrote. The leaf is hashed from its record, followed by
both proofs (SHA-256 and SM3) to the roots, and the signatures of the checkpoints are checked; the
record must say what the receipt says of the use. --document: the file as it was before it was
sealed, --value: the detached signature value; each must be the one in the record.

--vkeys: verification keys kept elsewhere. Without it the keys are those in the receipt, and who
writes the one can write the other. Needs verify_ledger.py beside it and no code of the product.
Prints JSON; exit 0 it verifies, 1 it does not, 2 it can't be read.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __package__:
    from tools.verify_ledger import Bad, Hash, Key, open_checkpoint, quick_sm3, read_keys, sha256
else:  # run as a script, it stands in the same folder
    from verify_ledger import Bad, Hash, Key, open_checkpoint, quick_sm3, read_keys, sha256

FORMAT = "govsecops.seal-use-receipt/1"
PROOF = "c2sp.org/tlog-proof@v1"
MAX_FILE = 1 << 20
MAX_HASHES = 64


def follow(digest: Hash, leaf: bytes, place: tuple[int, int], path: list[bytes]) -> bytes:
    """Return the root that the path leads to (RFC 9162 §2.1.3.2); raise ``Bad``."""
    index, last = place[0], place[1] - 1
    if not 0 <= index <= last:
        msg = f"a tree of {last + 1} entries has no entry {index}"
        raise Bad(msg)
    value = leaf
    for sibling in path:
        if last == 0:
            msg = "the proof is too long"
            raise Bad(msg)
        if index & 1 or index == last:
            value = digest(b"\x01" + sibling + value)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            value = digest(b"\x01" + value + sibling)
        index >>= 1
        last >>= 1
    if last:
        msg = "the proof is too short"
        raise Bad(msg)
    return value


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    """Return index, hashes and signed checkpoint of a tlog-proof; raise ``Bad``."""
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[:1] != [PROOF] or not lines[1:] or not lines[1].startswith("index "):
        msg = f"a proof does not begin with {PROOF}"
        raise Bad(msg)
    hashes = [base64.b64decode(line, validate=True) for line in lines[2:]]
    if len(hashes) > MAX_HASHES or any(len(one) != 32 for one in hashes):  # noqa: PLR2004 - bytes
        msg = "a proof has at most 64 hashes of 32 bytes"
        raise Bad(msg)
    return int(lines[1][6:]), hashes, checkpoint


def check_proof(name: str, receipt: dict[str, Any], record: bytes, keys: list[Key]) -> int:
    """Return the tree's size if the record is its entry; raise ``Bad``."""
    digest = sha256 if name == "sha256" else quick_sm3()
    index, hashes, note = read_proof(receipt["proofs"][name])
    if index != receipt["entry"]:
        msg = f"the {name} proof is of entry {index}, the receipt of {receipt['entry']}"
        raise Bad(msg)
    origin, size, root = open_checkpoint(note, keys)
    if origin.endswith("/sm3") != (name == "sm3"):
        msg = f"the {name} proof ends in a checkpoint of {origin}"
        raise Bad(msg)
    if follow(digest, digest(b"\x00" + record), (index, size), hashes) != root:
        msg = f"the {name} proof does not lead to the signed root"
        raise Bad(msg)
    return size


def instant(at: int) -> str:
    """Return the leaf's instant (UTC microseconds) as a receipt writes it."""
    seconds, micros = divmod(at, 1_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{micros:06d}Z" if micros else f"{text}Z"


def check_record(receipt: dict[str, Any], record: bytes) -> None:
    """Raise ``Bad`` unless the leaf says what the receipt says."""
    if sha256(b"\x00" + record).hex() != receipt["leaf_hash"]:
        msg = "the record is not the one that was hashed at the use"
        raise Bad(msg)
    use, leaf = receipt["use"], json.loads(record)
    details = leaf["details"]
    said = {
        "action": ("kms.use_seal", leaf["action"]),
        "outcome": ("done", leaf["outcome"]),
        "seal": (f"seal:{use['seal_id']}", leaf["target"]),
        "account": (use["account_id"], leaf["actor"]["id"]),
        "use": (use["id"], details["use"]),
        "used_at": (use["used_at"], instant(leaf["at"])),
        "document_sm3": (use["document_sm3"], details["document_sm3"]),
        "value_sm3": (use["value_sm3"], details["value_sm3"]),
        "form": (use["form"], details["form"]),
        "document_class": (use["document_class"], details["document_class"]),
        "request": (use["request_id"], details.get("request", "")),
        "purpose": (quick_sm3()(use["purpose"].encode()).hex(), details["purpose_sm3"]),
    }
    for name, (receipted, recorded) in said.items():
        if receipted != recorded:
            msg = f"{name}: the receipt says {receipted!r}, the ledger {recorded!r}"
            raise Bad(msg)


def check_file(path: Path | None, recorded: str, what: str) -> None:
    """Raise ``Bad`` if the file at ``path`` has another SM3."""
    if path is not None and quick_sm3()(path.read_bytes()).hex() != recorded:
        msg = f"{path} is not the {what} of this use"
        raise Bad(msg)


def verify(receipt: dict[str, Any], options: argparse.Namespace) -> dict[str, object]:
    """Return the verdict; ``why`` says why it is not valid."""
    verdict: dict[str, object] = {"valid": False, "entry": receipt.get("entry"), "why": None}
    if receipt.get("format") != FORMAT or receipt.get("proofs") is None:
        return {**verdict, "why": "no receipt with proofs: ask again a second after the use"}
    try:
        vkeys = "\n".join(receipt["vkeys"])
        keys = read_keys(vkeys if options.vkeys is None else options.vkeys.read_text())
        record = receipt["record"].encode()
        check_record(receipt, record)
        verdict["sizes"] = {n: check_proof(n, receipt, record, keys) for n in ("sha256", "sm3")}
        check_file(options.document, receipt["use"]["document_sm3"], "document")
        check_file(options.value, receipt["use"]["value_sm3"], "value")
        verdict["valid"] = True
    except (Bad, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        verdict["why"] = str(error)
    return verdict


def main(arguments: list[str]) -> int:
    """Verify; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("receipt", type=Path)
    for option in ("--vkeys", "--document", "--value"):
        parser.add_argument(option, type=Path)
    options = parser.parse_args(arguments)
    try:
        with options.receipt.open("rb") as stream:
            receipt = json.loads(stream.read(MAX_FILE))
        verdict = verify(receipt, options)
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        sys.stderr.write(f"verify_receipt: {error}\n")
        return 2
    sys.stdout.write(json.dumps(verdict, indent=2) + "\n")
    return 0 if verdict["valid"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
