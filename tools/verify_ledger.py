#!/usr/bin/env python3
"""Verify a ledger with nothing but Python: one file, no code shared with the product.

    verify_ledger.py PATH [--vkeys FILE] [--checkpoint FILE]... [--witness VKEY]... [--quorum K]

PATH is a ledger.db, a home's ledger folder, or a folder of exported tiles. The records are
hashed into both trees (RFC 6962, SHA-256 and SM3), the roots compared with every signed
checkpoint, and the signatures checked (Ed25519 by RFC 8032, SM2 by GB/T 32918.2 with user id
1234567812345678). Stored hashes are used for nothing.

--vkeys: verification keys kept elsewhere. Without it the keys lie beside the ledger, and who
can change the one can change the other. --checkpoint: a signed checkpoint kept elsewhere; the
ledger must extend it. --witness: the key of a witness; the ledger must extend what it cosigned,
looked for among the checkpoints given, in the folder witnessed/ beside a ledger.db and in the
checkpoints of exported tiles, and it must have cosigned something: who puts a ledger back whole
puts those back too, so ask the witness itself and look at the time that is printed. --quorum:
so many of the witnesses are enough, each key counted once; what any of them cosigned, the ledger
must extend all the same.

Prints JSON; exit 0 it verifies, 1 it does not, 2 it can't be read.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import sqlite3  # noqa: TID251 - it must run where the product's SQLite wheel is not; it only reads
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

Hash = Callable[[bytes], bytes]
SM2_KEY = b"\xffgovsecops/sm2-with-sm3/v1:"
ED25519_KEY = b"\x01"
WITNESS_KEY = b"\x04"


class Bad(Exception):
    """Something does not hold; the message says what and where."""


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


# SM2 verification (GB/T 32918.2-2016 §7); no secret is touched, so time may vary

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A = _P - 3
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_USER = b"1234567812345678"
Point = tuple[int, int] | None


def _add(left: Point, right: Point) -> Point:
    if left is None or right is None:
        return right if left is None else left
    (x1, y1), (x2, y2) = left, right
    if x1 == x2:
        if (y1 + y2) % _P == 0:
            return None
        slope = (3 * x1 * x1 + _A) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x3 = (slope * slope - x1 - x2) % _P
    return x3, (slope * (x1 - x3) - y1) % _P


def _two_products(s: int, t: int, public: Point) -> Point:
    """Return s·G + t·public, both scalars in one pass."""
    both = _add(_G, public)
    total: Point = None
    for bit in reversed(range(256)):
        total = _add(total, total)
        chosen = (s >> bit & 1, t >> bit & 1)
        if chosen != (0, 0):
            total = _add(total, {(1, 0): _G, (0, 1): public, (1, 1): both}[chosen])
    return total


def _der_integer(data: bytes) -> tuple[int, bytes]:
    if len(data) < 3 or data[0] != 2 or data[1] > 33 or len(data) < 2 + data[1]:  # noqa: PLR2004
        raise ValueError
    body = data[2 : 2 + data[1]]
    minimal = len(body) == 1 or body[0] or body[1] & 0x80
    if not body or body[0] & 0x80 or not minimal:
        raise ValueError
    return int.from_bytes(body, "big"), data[2 + data[1] :]


def sm2_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the DER ``signature`` of ``message`` is by ``public`` (04 ‖ x ‖ y)."""
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    if len(public) != 65 or public[0] != 4 or max(x, y) >= _P:  # noqa: PLR2004 - 04 = uncompressed
        return False
    if (y * y - (x * x * x + _A * x + _B)) % _P:
        return False
    try:
        if signature[0] != 0x30 or signature[1] != len(signature) - 2:  # noqa: PLR2004 - SEQUENCE
            return False
        r, rest = _der_integer(signature[2:])
        s, rest = _der_integer(rest)
    except (ValueError, IndexError):
        return False
    if rest or not (1 <= r < _N and 1 <= s < _N):
        return False
    curve = b"".join(value.to_bytes(32, "big") for value in (_A, _B, *_G))
    za = sm3((8 * len(_USER)).to_bytes(2, "big") + _USER + curve + public[1:])
    e = int.from_bytes(sm3(za + message), "big")
    t = (r + s) % _N
    point = _two_products(s, t, (x, y)) if t else None
    return point is not None and (e + point[0]) % _N == r


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


# Signed notes and checkpoints, as c2sp.org describes them

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


def open_checkpoint(note: str, keys: list[Key]) -> tuple[str, int, bytes]:
    """Return origin, size and root that a key named like the origin signed."""
    text, separator, tail = note.rpartition("\n\n")
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
    if not separator or not verified:
        msg = f"no known key signed the checkpoint of {origin} at size {size}"
        raise Bad(msg)
    return origin, int(size), base64.b64decode(root.removesuffix("\n"), validate=True)


def cosigned_at(note: str, witness: Key) -> int:
    """Return when ``witness`` cosigned ``note`` (seconds since 1970), 0 if it did not.

    Raises ``Bad`` if a signature that bears its name and key does not verify.
    """
    text, _, tail = note.rpartition("\n\n")
    newest = 0
    for line in tail.split("\n")[:-1]:
        name, _, encoded = line.removeprefix("— ").partition(" ")
        raw = base64.b64decode(encoded, validate=True)
        if (name, raw[:4]) == witness[:2]:
            at = int.from_bytes(raw[4:12], "big")
            message = f"cosignature/v1\ntime {at}\n{text}\n".encode()
            if not ed25519_verify(witness[2].removeprefix(WITNESS_KEY), message, raw[12:]):
                msg = f"the cosignature of {name} does not verify"
                raise Bad(msg)
            newest = max(newest, at)
    return newest


def read_witnesses(vkeys: list[str], quorum: int | None) -> tuple[list[Key], int]:
    """Return the witnesses' keys and how many of them must have cosigned (all, by default)."""
    witnesses = read_keys("\n".join(vkeys))
    for name, _, raw in witnesses:
        if not raw.startswith(WITNESS_KEY):
            msg = f"the key of {name} is no witness's"
            raise Bad(msg)
    different = len({raw for _, _, raw in witnesses})
    if quorum is not None and not 1 <= quorum <= different:
        msg = f"a quorum of {quorum} can't be had of {different} different keys"
        raise Bad(msg)
    return witnesses, different if quorum is None else quorum


def found_beside(notes: list[str], witness: Key) -> dict[str, int]:
    """Return which of ``notes`` the ``witness`` cosigned, and when; a damaged one is none."""
    found = {}
    for note in notes:
        with contextlib.suppress(Bad, ValueError):
            found[note] = cosigned_at(note, witness)
    return found


def cosigned_by(
    witnesses: list[Key], quorum: int, kept: list[str], beside: list[str]
) -> tuple[list[str], dict[str, int]]:
    """Return the notes that the witnesses cosigned, and by name when each did so last.

    Raises ``Bad`` if fewer than ``quorum`` different keys cosigned any.
    """
    found: list[str] = []
    times: dict[Key, int] = {}
    for witness in witnesses:
        seen = found_beside(beside, witness) | {note: cosigned_at(note, witness) for note in kept}
        found += [note for note, at in seen.items() if at]
        times[witness] = max(seen.values(), default=0)
    cosigned = {key[2] for key, at in times.items() if at}
    if len(cosigned) < quorum:
        missing = ", ".join(name for name, _, raw in witnesses if raw not in cosigned)
        msg = f"no checkpoint at hand was cosigned by {missing}: {len(cosigned)} of {quorum}"
        raise Bad(msg)
    return found, {key[0]: at for key, at in sorted(times.items(), key=lambda each: each[1]) if at}


# Reading a ledger


class Database:
    """A ledger.db: records, checkpoints and keys, nothing else of it."""

    def __init__(self, path: Path) -> None:
        self._witnessed = path.parent / "witnessed"
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)

    def records(self) -> Iterator[bytes]:
        """Yield the records in order; raise ``Bad`` for a gap."""
        query = "SELECT entry, record FROM ledger_entries ORDER BY entry"
        for number, (entry, record) in enumerate(self._connection.execute(query)):
            if entry != number or not isinstance(record, bytes):
                msg = f"entry {number} is missing"
                raise Bad(msg)
            yield record

    def notes(self) -> list[str]:
        """Return all signed notes of both trees."""
        query = "SELECT sha256_note, sm3_note FROM ledger_checkpoints ORDER BY size"
        return [note for pair in self._connection.execute(query) for note in pair]

    def vkeys(self) -> str:
        """Return the keys beside the ledger."""
        return "\n".join(row[0] for row in self._connection.execute("SELECT vkey FROM ledger_keys"))

    def witnessed(self) -> list[str]:
        """Return the cosigned checkpoints beside the ledger: a line with the name, the note."""
        files = sorted(self._witnessed.glob("*.note"))
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
        return [text.partition("\n")[2] for text in texts]


class Tiles:
    """A folder of exported tiles; only the entry bundles are read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def records(self) -> Iterator[bytes]:
        """Yield the records of all bundles in order."""
        size = max(int(note.split("\n")[1]) for note in self.notes())
        for number in range(-(-size // 256)):
            width = min(256, size - 256 * number)
            digits = str(number).zfill(-(-len(str(number)) // 3) * 3)
            parts = [f"x{digits[at : at + 3]}" for at in range(0, len(digits), 3)]
            name = "/".join(parts)[:-4] + digits[-3:]
            name += "" if width == 256 else f".p/{width}"  # noqa: PLR2004 - a full tile
            bundle = (self._folder / "tile" / "entries" / name).read_bytes()
            place = 0
            while place < len(bundle):
                length = int.from_bytes(bundle[place : place + 2], "big")
                yield bundle[place + 2 : place + 2 + length]
                place += 2 + length

    def notes(self) -> list[str]:
        """Return the newest signed note of both trees."""
        names = ("checkpoint", "sm3/checkpoint")
        return [(self._folder / name).read_text(encoding="utf-8") for name in names]

    def vkeys(self) -> str:
        """Return the keys that were exported with the tiles."""
        return (self._folder / "vkeys").read_text(encoding="utf-8")

    def witnessed(self) -> list[str]:
        """Return the exported checkpoints that may be cosigned."""
        paths = (self._folder / name for name in ("checkpoint", "cosigned-checkpoint"))
        return [path.read_text(encoding="utf-8") for path in paths if path.is_file()]


class Tree:
    """A tree by its peaks: perfect trees from left to right, the highest first."""

    def __init__(self, digest: Hash) -> None:
        self._digest = digest
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, record: bytes) -> None:
        """Append a leaf."""
        height, value = 0, self._digest(b"\x00" + record)
        while self._peaks and self._peaks[-1][0] == height:
            value = self._digest(b"\x01" + self._peaks.pop()[1] + value)
            height += 1
        self._peaks.append((height, value))

    def root(self) -> bytes:
        """Return the root."""
        if not self._peaks:
            return self._digest(b"")
        value = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            value = self._digest(b"\x01" + peak + value)
        return value


Due = dict[int, list[tuple[str, bytes]]]
Witnesses = tuple[list[str], int | None]
"""Their keys, and how many must have cosigned (None: all)."""
NOBODY: Witnesses = ([], None)


def _due(notes: list[str], kept: list[str], keys: list[Key]) -> Due:
    """Return tree name and root of every signed head by size; raise ``Bad``."""
    heads = [open_checkpoint(note, keys) for note in notes]
    for left, right in zip(heads[::2], heads[1::2], strict=True):
        if (f"{left[0]}/sm3", left[1]) != right[:2] or left[0] != heads[0][0]:
            msg = f"the checkpoints at size {left[1]} are not of the two trees of one log"
            raise Bad(msg)
    due: Due = {}
    for origin, size, root in [*heads, *(open_checkpoint(note, keys) for note in kept)]:
        if heads and origin.removesuffix("/sm3") != heads[0][0]:
            msg = f"the kept checkpoint is of another log: {origin}"
            raise Bad(msg)
        due.setdefault(size, []).append(("sm3" if origin.endswith("/sm3") else "sha256", root))
    return due


class Recomputation:
    """One pass over the records."""

    def __init__(self, source: Database | Tiles) -> None:
        self._source = source
        self._trees = {"sha256": Tree(sha256), "sm3": Tree(quick_sm3())}
        self.entries = 0
        self.verified = 0
        self.cosigned: dict[str, int] = {}

    def run(self, vkeys: str | None, kept: list[str], witnesses: Witnesses) -> None:
        """Return if everything holds; raise ``Bad`` or what reading raises."""
        notes = self._source.notes()
        if witnesses != NOBODY:
            origin = "".join(notes[:1]).partition("\n")[0]
            beside = [note for note in self._source.witnessed() if note.startswith(f"{origin}\n")]
            seen, self.cosigned = cosigned_by(*read_witnesses(*witnesses), kept, beside)
            kept = [*kept, *seen]
        keys = read_keys(self._source.vkeys() if vkeys is None else vkeys)
        due = _due(notes, kept, keys)
        self._check(due.pop(0, []))
        for record in self._source.records():
            for tree in self._trees.values():
                tree.add(record)
            self.entries += 1
            self._check(due.pop(self.entries, []))
        if due:
            msg = f"there are {self.entries} entries, but a checkpoint signs {min(due)}"
            raise Bad(msg)
        if self.entries and not self.verified:
            msg = "no signed checkpoint covers the entries"
            raise Bad(msg)

    def roots(self) -> dict[str, str]:
        """Return both roots as far as the records were read."""
        return {f"{name}_root": tree.root().hex() for name, tree in self._trees.items()}

    def _check(self, signed: list[tuple[str, bytes]]) -> None:
        for name, root in signed:
            if self._trees[name].root() != root:
                msg = f"the {name} root over {self.entries} entries is not the signed one"
                raise Bad(msg)
            self.verified += 1


def verify(
    source: Database | Tiles, vkeys: str | None, kept: list[str], witnesses: Witnesses = NOBODY
) -> dict[str, object]:
    """Return the verdict; ``first_bad`` says why it is not valid."""
    work = Recomputation(source)
    first_bad: str | None = None
    try:
        work.run(vkeys, kept, witnesses)
    except (Bad, ValueError, TypeError, LookupError, OSError, sqlite3.Error) as error:
        first_bad = str(error) or type(error).__name__
    return {
        "valid": first_bad is None,
        "entries": work.entries,
        **work.roots(),
        "checkpoints": work.verified,
        "cosigned": work.cosigned,
        "first_bad": first_bad,
    }


def open_source(path: Path) -> Database | Tiles:
    """Return what lies at ``path``; raise OSError if it is no ledger."""
    if (path / "tile").is_dir():
        return Tiles(path)
    file = path / "ledger.db" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(str(file))
    return Database(file)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--vkeys", type=Path)
    parser.add_argument("--checkpoint", type=Path, action="append", default=[])
    parser.add_argument("--witness", metavar="VKEY", action="append", default=[])
    parser.add_argument("--quorum", metavar="K", type=int)
    options = parser.parse_args()
    try:
        vkeys = None if options.vkeys is None else options.vkeys.read_text(encoding="utf-8")
        kept = [path.read_text(encoding="utf-8") for path in options.checkpoint]
        source = open_source(options.path)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"verify_ledger: {error}\n")
        return 2
    verdict = verify(source, vkeys, kept, (options.witness, options.quorum))
    sys.stdout.write(json.dumps(verdict, indent=2) + "\n")
    return 0 if verdict["valid"] else 1


if __name__ == "__main__":
    sys.exit(main())
