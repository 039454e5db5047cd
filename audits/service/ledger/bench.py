"""What the ledger costs: sequencing, verifying and proving, over a ledger of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.core.c2sp import (
    KeyKind,
    NoteKey,
    open_note,
    parse_tree_head,
    parse_vkey,
)
from audits.core.c2sp.note import VerifySignature
from audits.core.c2sp.proof_file import parse_proof
from audits.core.rfc6962 import SHA256, verify_inclusion
from audits.models import DoorBatch
from audits.ports import SignatureVerifier
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.sequencer import Sequencer
from audits.service.ledger.signatures import check_of
from secops.kernel.actors import Actor
from secops.kernel.ids import Randomness
from secops.kernel.leases import Lease
from secops.kernel.trail import Act, Receipt, encode_act

RECORDS: Final = 100_000
PROOFS: Final = 500
_DOOR: Final = "bench"
_START: Final = 1_767_225_600_000_000
_CALLER: Final = Actor("client", "cli_bench", "org_bench", "bench", session_id="ses_bench")


class BenchDoors:
    """One door with ``count`` records such as a token endpoint leaves."""

    def __init__(self, count: int) -> None:
        self._count = count

    def names(self) -> Sequence[str]:
        """Return the one door."""
        return (_DOOR,)

    def read_after(self, door: str, position: int, limit: int) -> DoorBatch:
        """Return the next records."""
        end = min(self._count, position + limit)
        return DoorBatch(door, [_record(number) for number in range(position, end)], end)

    def forget(self, door: str, position: int) -> bool:
        """Do nothing: the records are made anew when they are read."""
        del door, position
        return False


class BenchLeases:
    """One process, one lease."""

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take it."""
        del seconds
        return Lease(name, owner, 1, 0)

    def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """Keep it."""
        del seconds
        return lease

    def release(self, lease: Lease) -> None:
        """Let it go."""


class BenchTrail:
    """Takes no acts: what is measured reports none when it works."""

    def append(self, acts: Sequence[Act]) -> Sequence[Receipt]:
        """Raise, for a report means that the measurement is void."""
        msg = f"the sequencer reports {acts[0].details}"
        raise RuntimeError(msg)


def _record(number: int) -> bytes:
    details = {"key": "key_token", "version": 3, "jti": f"{number:032x}", "scope": "seal.verify"}
    act = Act("iam.issue_token", _CALLER, f"client:cli_{number % 50}", details=details)
    return encode_act(act, _START + number)


@dataclass(frozen=True, slots=True)
class _Timing:
    wall: float
    cpu: float


def _timed(work: Callable[[], object]) -> _Timing:
    wall, cpu = time.perf_counter(), _cpu_seconds()
    work()
    return _Timing(time.perf_counter() - wall, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    """Return what this process and its ended children have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def ledger_figures(
    sequencer: Sequencer,
    files: LedgerFiles,
    verifier: SignatureVerifier,
    randomness: Randomness,
    records: int = RECORDS,
) -> list[dict[str, Any]]:
    """Sequence ``records`` (they wait at the door), verify all, prove some; return figures."""
    making = _timed(lambda: [_record(number) for number in range(records)])
    sequencing = _timed(sequencer.drain)
    verdicts = []
    verifying = _timed(lambda: verdicts.append(files.verify_ledger()))
    if not verdicts[0].valid or verdicts[0].entries != records:
        msg = f"the measured ledger does not verify: {verdicts[0].first_bad}"
        raise RuntimeError(msg)
    chosen = [int.from_bytes(randomness.bytes(4), "big") % records for _ in range(PROOFS)]
    proving = _timed(lambda: [files.prove_entry(str(index)) for index in chosen])
    cpu = max(sequencing.cpu - making.cpu, 1e-9)  # making the records is not sequencing
    wall = max(sequencing.wall - making.wall, 1e-9)
    check, keys = check_of(verifier), [parse_vkey(vkey) for vkey in files.vkeys()]

    def prove_and_verify() -> None:
        for index in chosen:
            _verify(files.prove_entry(str(index)), _record(index), keys, check)

    proved = _timed(prove_and_verify)
    size = len(_record(0))
    what = f"{records} records of {size} bytes, both trees, rows, checkpoint per 1,000, SQLite"
    return [
        _figure("ledger.sequence", wall / records * 1e6, "µs/record", records / cpu, what),
        _figure("ledger.verify", verifying.wall, "s", records / verifying.cpu, what),
        _figure(
            "ledger.prove",
            proving.wall / PROOFS * 1e6,
            "µs/proof",
            PROOFS / proving.cpu,
            f"{PROOFS} random entries of {records}",
        ),
        _figure(
            "ledger.prove-and-verify",
            proved.wall / PROOFS * 1e6,
            "µs/proof",
            PROOFS / proved.cpu,
            f"{PROOFS} random entries of {records}: proof written, read, note and path verified",
        ),
    ]


def _verify(
    written: str,
    record: bytes,
    keys: Sequence[NoteKey],
    check: Callable[[KeyKind], VerifySignature],
) -> None:
    """Verify a proof as somebody does who holds the record and the keys; raise otherwise."""
    proof = parse_proof(written)
    head = parse_tree_head(open_note(proof.checkpoint, keys, check))
    leaf = (proof.index, SHA256.leaf(record))
    verify_inclusion(SHA256, leaf, (head.size, head.root), proof=proof.hashes)


def _figure(
    name: str, value: float, unit: str, per_cpu_second: float, circumstances: str
) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "per_cpu_second": round(per_cpu_second),
        "circumstances": circumstances,
    }
