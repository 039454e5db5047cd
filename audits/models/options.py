"""What the shell decides for the audits plane."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditsOptions:
    """Options of the plane.

    ``database_url`` is where the main database lies: with SQLite (None or ``sqlite…``) the
    ledger is the file ``home/ledger/ledger.db`` of its own, with PostgreSQL it lies there.
    ``ledger_name`` begins the origin of a *new* ledger (a schema-less URL); an existing
    ledger keeps the origin it was made with. A checkpoint is signed at the latest after
    ``checkpoint_seconds`` or ``checkpoint_records``. ``witnesses`` are (verification key,
    address) of those that cosign; ``witness_quorum`` of them make a checkpoint a cosigned one.
    """

    database_url: str | None = None
    ledger_name: str = "govsecops.local"
    checkpoint_seconds: float = 1.0
    checkpoint_records: int = 1_000
    witnesses: tuple[tuple[str, str], ...] = ()
    witness_quorum: int = 1
