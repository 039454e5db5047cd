"""The whole ledger where it lies in PostgreSQL: doors, sequencer, proof, verification."""

from __future__ import annotations

from pathlib import Path

import pytest

from audits.adapters.doors import SpineDoors
from audits.adapters.folders import VkeyLines
from audits.adapters.signatures import EngineVerifier
from audits.core.c2sp import parse_proof
from audits.models import AuditsOptions
from audits.plane import open_ledger_files
from audits.service.ledger.sequencer import Sequencer, SequencerParts
from audits.store.ledger.store import open_ledger_store
from secops.kernel.actors import system_actor
from secops.kernel.trail import Act
from tests.fakes.ledger import FakeSigner
from tests.fakes.parts import database_spine
from tests.services.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]


@pytest.mark.postgresql
def test_acts_of_both_doors_are_sequenced_proved_and_verified(postgresql_url: str, tmp_path: Path):
    spine = database_spine(tmp_path, url=postgresql_url)
    store = open_ledger_store(tmp_path, postgresql_url, "tests.local/pg")
    sequencer = Sequencer(
        SequencerParts(
            owner="one",
            store=store,
            doors=SpineDoors(spine.doors),
            signer=FakeSigner(),
            verifier=EngineVerifier(),
            vkey_file=VkeyLines(tmp_path / "ledger" / "vkeys"),
            clock=spine.parts.clock,
            leases=spine.parts.leases,
            trail=spine.parts.trail,
            options=AuditsOptions(database_url=postgresql_url),
        )
    )
    acts = [Act("tests.act", system_actor("tester"), f"thing:{number}") for number in range(40)]
    for one in acts[:20]:
        spine.parts.transactions.run(lambda tx, one=one: tx.record(one))
    (receipt, *_) = spine.parts.trail.append(acts[20:])
    sequencer.drain()
    files = open_ledger_files(tmp_path, postgresql_url)
    verdict = files.verify_ledger()
    expected = (None, 40, 0)
    assert expected == (verdict.first_bad, verdict.entries, verdict.unsigned)
    assert parse_proof(files.prove_entry(receipt.leaf_hash.hex())).index >= 0
    assert spine.doors.read_after("database", 0, 10).records == []  # signed, so forgotten
    assert not (tmp_path / "ledger" / "ledger.db").exists()
    with store._writer.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_entries SET record = record || 'x'::bytea WHERE entry = 7"
        )
    verdict = files.verify_ledger()
    assert verdict.first_bad is not None
    assert verdict.first_bad.index == 7
    files.close()
    store.close()
    spine.close()
