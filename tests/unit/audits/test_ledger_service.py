"""Listing, proving and exporting the ledger, and its HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from audits.adapters.folders import TileFolder
from audits.adapters.signatures import EngineVerifier
from audits.api.ledger import ledger_routes
from audits.core.c2sp import (
    TILE_WIDTH,
    Tile,
    open_note,
    parse_entries,
    parse_proof,
    parse_tree_head,
    parse_vkey,
    tile_path,
    tiles_of,
)
from audits.core.entry_changes import FieldChange
from audits.core.rfc6962 import SHA256, SM3, verify_consistency, verify_inclusion
from audits.errors import EntryNotFound, LedgerDamaged, MalformedProof, NotCheckpointed
from audits.models import EntryFilter
from audits.service.ledger.changes import EntryChanges, entry_changes
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.ledger import LedgerService
from audits.service.ledger.signatures import check_of
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Forbidden, Invalid, TooMany, Unauthenticated
from secops.kernel.pages import PageRequest, decode_cursor
from secops.kernel.trail import Act, encode_act
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route
from tests.fakes.access import FakeAccess
from tests.fakes.clock import START
from tests.fakes.ledger import record
from tests.fakes.ledger_rig import LedgerRig, ledger_rig

AUDITOR = Actor("account", "acc_auditor", ROOT_ORG, "auditor", frozenset({"auditor"}))
AUDIT_ADMIN = Actor("account", "acc_admin", ROOT_ORG, "admin", frozenset({"audit-admin"}))
COUNTY_AUDITOR = Actor("account", "acc_county", "org_county", "county", frozenset({"auditor"}))
ANALYST = Actor("account", "acc_analyst", ROOT_ORG, "analyst", frozenset({"analyst"}))
ANY = EntryFilter()
FIRST = PageRequest(limit=2)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LedgerRig]:
    rig = ledger_rig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def ledger(rig: LedgerRig) -> LedgerService:
    return LedgerService(
        store=rig.store,
        files=rig.files,
        sequencer=rig.sequencer,
        access=FakeAccess(),
        trail=rig.trail,
    )


def test_entries_come_newest_first_page_by_page(rig: LedgerRig, ledger: LedgerService):
    rig.fill(5)
    seen: list[int] = []
    page = FIRST
    while True:
        found = ledger.list_entries(AUDITOR, page, ANY)
        seen += [row.index for row in found.items]
        if found.next is None:
            break
        page = PageRequest(2, decode_cursor(found.next))
    expected = [4, 3, 2, 1, 0]
    assert expected == seen


def test_entries_are_found_by_what_they_say(rig: LedgerRig, ledger: LedgerService):
    rig.fill(5)

    def indexes(wanted: EntryFilter) -> list[int]:
        return [row.index for row in ledger.list_entries(AUDITOR, PageRequest(), wanted).items]

    cases = [
        (EntryFilter(target="thing:3"), [3]),
        (EntryFilter(action="tests.*", outcome="done"), [4, 3, 2, 1, 0]),
        (EntryFilter(action="tests.act"), [4, 3, 2, 1, 0]),
        (EntryFilter(action="test%*"), []),
        (EntryFilter(actor_id="nobody"), []),
        (EntryFilter(since=1_767_225_600_000_001, until=1_767_225_600_000_003), [2, 1]),
    ]
    for wanted, expected in cases:
        assert expected == indexes(wanted)


def test_an_auditor_of_a_county_sees_only_the_county(rig: LedgerRig, ledger: LedgerService):
    rig.doors.put("database", record(0), record(1, org="org_county"))
    rig.sequencer.drain()
    rows = ledger.list_entries(COUNTY_AUDITOR, PageRequest(), EntryFilter(org_id="org_root")).items
    expected = [1]
    assert expected == [row.index for row in rows]
    assert ledger.get_entry(COUNTY_AUDITOR, "1").entry.index == 1
    with pytest.raises(EntryNotFound):
        ledger.get_entry(COUNTY_AUDITOR, "0")
    with pytest.raises(EntryNotFound):
        ledger.prove_entry(COUNTY_AUDITOR, "0")
    with pytest.raises(EntryNotFound):
        ledger.read_bundle(COUNTY_AUDITOR, "000.p/2")
    with pytest.raises(EntryNotFound):
        ledger.export_tiles(COUNTY_AUDITOR, TileFolder(rig.home / "tiles"))


def test_nobody_else_reads_the_ledger(rig: LedgerRig, ledger: LedgerService):
    rig.fill(1)
    with pytest.raises(Forbidden):
        ledger.list_entries(ANALYST, PageRequest(), ANY)
    with pytest.raises(Forbidden):
        ledger.get_entry(ANALYST, "0")
    with pytest.raises(Forbidden):
        ledger.verify_ledger(ANALYST)
    with pytest.raises(Forbidden):
        ledger.rebuild_rows(AUDITOR)


def test_a_receipts_leaf_hash_finds_its_entry_and_a_proof_that_verifies(
    rig: LedgerRig, ledger: LedgerService
):
    rig.fill(21)
    leaf_hash = hashlib.sha256(b"\x00" + record(13)).hexdigest()
    keys = [parse_vkey(line) for line in rig.store.vkeys()]
    for tree_hash, tree in ((SHA256, "sha256"), (SM3, "sm3")):
        proof = parse_proof(ledger.prove_entry(AUDITOR, leaf_hash, tree))  # type: ignore[arg-type]
        head = parse_tree_head(open_note(proof.checkpoint, keys, check_of(EngineVerifier())))
        assert (proof.index, head.size) == (13, 21)
        leaf = (proof.index, tree_hash.leaf(record(13)))
        verify_inclusion(tree_hash, leaf, (head.size, head.root), proof=proof.hashes)


def test_growth_between_two_checkpoints_is_proved(rig: LedgerRig):
    rig.fill(21, every=5)
    old, *_, new = rig.store.checkpoints()
    proof = rig.files.prove_growth(old.size, new.size, "sm3")
    verify_consistency(SM3, (old.size, old.sm3_root), (new.size, new.sm3_root), proof=proof)
    with pytest.raises(EntryNotFound):
        rig.files.prove_growth(5, 22)


def test_an_entry_without_a_checkpoint_has_no_proof_yet(rig: LedgerRig, ledger: LedgerService):
    rig.signer.locked = True
    rig.doors.put("database", record(0))
    rig.sequencer.drain()
    with pytest.raises(NotCheckpointed):
        ledger.prove_entry(AUDITOR, "0")
    with pytest.raises(NotCheckpointed):
        rig.files.export_tiles(TileFolder(rig.home / "tiles"))
    assert not rig.verify().valid  # entries, but nobody signed


@pytest.mark.parametrize("reference", ["1", "-1", "x", "", "9" * 40, "ab" * 32, "é"])
def test_what_is_no_entry_is_not_found(rig: LedgerRig, ledger: LedgerService, reference: str):
    rig.fill(1)
    with pytest.raises(EntryNotFound):
        ledger.get_entry(AUDITOR, reference)


def test_verifying_is_itself_an_act(rig: LedgerRig, ledger: LedgerService):
    rig.fill(3)
    verdict = ledger.verify_ledger(AUDITOR)
    act = rig.trail.acts[-1]
    assert (act.action, act.outcome, act.details["entries"]) == ("audits.verify_ledger", "done", 3)
    assert verdict.sha256_root.hex() == act.details["sha256_root"]


def test_only_one_verification_runs_at_a_time(rig: LedgerRig, ledger: LedgerService):
    rig.fill(1)
    with ledger._verifying, pytest.raises(TooMany):
        ledger.verify_ledger(AUDITOR)
    assert ledger.verify_ledger(AUDITOR).valid


def test_rows_are_made_anew_from_the_records(rig: LedgerRig, ledger: LedgerService):
    rig.fill(5)
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger_rows SET target = 'hidden' WHERE entry = 2")
        connection.exec_driver_sql("DELETE FROM ledger_rows WHERE entry = 3")
        connection.exec_driver_sql(
            "INSERT INTO ledger_rows SELECT 77, at, action, actor_id, org_id, target, outcome,"
            " request_id FROM ledger_rows WHERE entry = 1"
        )
    assert not rig.verify().valid
    assert ledger.rebuild_rows(AUDIT_ADMIN) == 5
    assert rig.verify().valid


def test_exported_tiles_hold_the_whole_tree(rig: LedgerRig, ledger: LedgerService):
    size = TILE_WIDTH + 3
    rig.fill(size)
    folder = rig.home / "tiles"
    ledger.export_tiles(AUDITOR, TileFolder(folder))
    records: list[bytes] = []
    for tile in tiles_of(size):
        content = (folder / "tile" / tile_path(tile)).read_bytes()
        if tile.level is None:
            records += parse_entries(content)
        else:
            assert len(content) == 32 * tile.width
    assert [record(number) for number in range(size)] == records
    leaves = (folder / "tile" / tile_path(Tile(0, 0))).read_bytes()
    assert SHA256.leaf(record(0)) == leaves[:32]
    level = [leaves[place : place + 32] for place in range(0, len(leaves), 32)]
    while len(level) > 1:
        level = [SHA256.node(*level[place : place + 2]) for place in range(0, len(level), 2)]
    assert level[0] == (folder / "tile" / tile_path(Tile(1, 0, 1))).read_bytes()
    sm3 = (folder / "sm3" / "tile" / tile_path(Tile(0, 0))).read_bytes()
    assert SM3.leaf(record(0)) == sm3[:32]
    last = rig.store.last_checkpoint()
    assert last is not None
    assert last.sha256_note == (folder / "checkpoint").read_text()
    assert len((folder / "vkeys").read_text().splitlines()) == 2


def test_tiles_that_no_checkpoint_covers_are_not_there(rig: LedgerRig, ledger: LedgerService):
    rig.fill(5)
    assert len(ledger.read_tile("0/000.p/5")) == 160
    assert len(ledger.read_tile("0/000.p/3", "sm3")) == 96
    for path in ("0/000.p/6", "0/000", "0/001.p/1", "1/000.p/1"):
        with pytest.raises(EntryNotFound):
            ledger.read_tile(path)
    with pytest.raises(EntryNotFound):
        ledger.read_tile("entries/000.p/5")
    with pytest.raises(MalformedProof):
        ledger.read_tile("0/../000")
    assert [record(0)] == parse_entries(ledger.read_bundle(AUDITOR, "000.p/1"))


def test_a_tile_never_leaves_its_folder(tmp_path: Path):
    for path in ("../x", "/etc/x", "a/../../x"):
        with pytest.raises(MalformedProof):
            TileFolder(tmp_path).put(path, b"")


# HTTP


def routes(ledger: LedgerService) -> dict[str, Route]:
    return {route.operation: route for route in ledger_routes(ledger)}


def ask(
    ledger: LedgerService,
    operation: str,
    query: str = "",
    actor: Actor | None = AUDITOR,
    **args: str,
) -> Response:
    route = routes(ledger)[operation]
    return route.handler(Request(route.method, "/", query, args=args, actor=actor))


def test_the_list_is_answered_with_items_and_cursor(rig: LedgerRig, ledger: LedgerService):
    rig.fill(3)
    answer = orjson.loads(ask(ledger, "list_entries", "limit=2&action=tests.*").body)
    assert [item["index"] for item in answer["items"]] == [2, 1]
    rest = orjson.loads(ask(ledger, "list_entries", f"limit=2&cursor={answer['next']}").body)
    assert ([item["index"] for item in rest["items"]], rest["next"]) == ([0], None)
    expected = {
        "index": 2,
        "at": "2026-01-01T00:00:00.000002Z",
        "action": "tests.act",
        "actor": "tester",
        "org": "org_root",
        "target": "thing:2",
        "outcome": "done",
        "request": None,
    }
    assert expected == answer["items"][0]


@pytest.mark.parametrize("query", ["since=yesterday", "what=1", "limit=0", "cursor=x", "since=1"])
def test_a_list_that_can_not_be_read_is_refused(ledger: LedgerService, query: str):
    with pytest.raises(Invalid):
        ask(ledger, "list_entries", query)


def test_entry_proof_and_verification_are_answered(rig: LedgerRig, ledger: LedgerService):
    rig.fill(3)
    entry = orjson.loads(ask(ledger, "get_entry", entry="1").body)
    assert orjson.loads(record(1)) == entry["record"]
    assert SHA256.leaf(record(1)).hex() == entry["sha256_leaf"]
    proof = ask(ledger, "prove_entry", "tree=sm3", entry="1")
    assert parse_proof(proof.body.decode()).index == 1
    with pytest.raises(Invalid):
        ask(ledger, "prove_entry", "tree=md5", entry="1")
    verdict = orjson.loads(ask(ledger, "verify_ledger").body)
    assert (verdict["valid"], verdict["entries"], verdict["first_bad"]) == (True, 3, None)


def test_checkpoints_and_hash_tiles_are_public_and_bundles_are_not(
    rig: LedgerRig, ledger: LedgerService
):
    with pytest.raises(NotCheckpointed):
        ask(ledger, "latest_checkpoint", actor=None)
    rig.fill(3)
    last = rig.store.last_checkpoint()
    assert last is not None
    note = ask(ledger, "latest_checkpoint", actor=None)
    assert last.sha256_note == note.body.decode()
    assert last.sm3_note == ask(ledger, "latest_sm3_checkpoint", actor=None).body.decode()
    tile = ask(ledger, "read_tile", actor=None, level="0", tile="000.p/3")
    assert len(tile.body) == 96
    assert "immutable" in str(tile.header("cache-control"))
    assert len(ask(ledger, "read_sm3_tile", actor=None, level="0", tile="000.p/1").body) == 32
    with pytest.raises(EntryNotFound):
        ask(ledger, "read_tile", actor=None, level="entries", tile="000.p/3")
    with pytest.raises(Unauthenticated):
        ask(ledger, "read_bundle", actor=None, tile="000.p/3")
    assert len(parse_entries(ask(ledger, "read_bundle", tile="000.p/3").body)) == 3
    public = {name for name, route in routes(ledger).items() if isinstance(route.access, Public)}
    heads = {"latest_checkpoint", "cosigned_checkpoint", "latest_sm3_checkpoint"}
    assert public == heads | {"read_tile", "read_sm3_tile"}


def test_a_checkpoint_can_be_had_as_json(rig: LedgerRig, ledger: LedgerService):
    rig.fill(2)
    route = routes(ledger)["latest_checkpoint"]
    request = Request("GET", "/log/checkpoint", headers={"accept": "application/json"})
    assert orjson.loads(route.handler(request).body)["size"] == 2


def test_a_list_since_an_instant_is_answered(rig: LedgerRig, ledger: LedgerService):
    rig.fill(3)
    answer = orjson.loads(
        ask(ledger, "list_entries", "since=2026-01-01T00:00:00.000002Z&outcome=done").body
    )
    assert [item["index"] for item in answer["items"]] == [2]
    assert ledger.sequencer.health().checkpointed == 3
    assert len(rig.files.vkeys()) == 2


def test_a_bundle_with_a_hole_is_damage(rig: LedgerRig, ledger: LedgerService):
    rig.fill(3)
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_entries WHERE entry = 1")
    with pytest.raises(LedgerDamaged):
        ledger.read_bundle(AUDITOR, "000.p/3")


class SequencingVerifier(EngineVerifier):
    """Appends to the ledger while it is being verified."""

    def __init__(self, rig: LedgerRig) -> None:
        self._rig = rig
        self.appended = 0

    def verify_ed25519(self, public: bytes, message: bytes, signature: bytes, /) -> None:
        super().verify_ed25519(public, message, signature)
        if self.appended < 5:
            self.appended += 1
            self._rig.doors.put("database", record(100 + self.appended))
            self._rig.sequencer.drain()


def test_a_ledger_that_grows_while_it_is_verified_verifies_as_it_was(rig: LedgerRig):
    rig.fill(30, every=10)
    verifier = SequencingVerifier(rig)
    verdict = LedgerFiles(rig.store, verifier).verify_ledger()
    assert verifier.appended
    expected = (True, 30, 0)
    assert expected == (verdict.valid, verdict.entries, verdict.unsigned)
    assert rig.verify().entries == 30 + verifier.appended


def told(rig: LedgerRig, action: str, org: str, details: dict[str, object]) -> None:
    actor = Actor("account", "acc_x", org, "x")
    rig.doors.put("database", encode_act(Act(action, actor, "thing:1", details=details), START))


def test_changes_are_told_against_the_same_act_on_the_same_object(
    rig: LedgerRig, ledger: LedgerService
) -> None:
    told(rig, "t.update", ROOT_ORG, {"level": 2})
    told(rig, "t.lock", ROOT_ORG, {"reason": "x"})
    told(rig, "t.update", ROOT_ORG, {"level": 3})
    rig.sequencer.drain()
    found = entry_changes(ledger, AUDITOR, ledger.get_entry(AUDITOR, "2"))
    assert found == EntryChanges((FieldChange("level", "2", "3"),), 0)
    locked = entry_changes(ledger, AUDITOR, ledger.get_entry(AUDITOR, "1"))
    assert locked == EntryChanges(())


def test_an_entry_is_not_held_against_another_organisations(
    rig: LedgerRig, ledger: LedgerService
) -> None:
    told(rig, "t.update", ROOT_ORG, {"level": 2})
    told(rig, "t.update", "org_county", {"level": 3})
    rig.sequencer.drain()
    mine = ledger.get_entry(COUNTY_AUDITOR, "1")
    assert entry_changes(ledger, COUNTY_AUDITOR, mine) == EntryChanges(())
    assert entry_changes(ledger, AUDITOR, mine).against == 0
