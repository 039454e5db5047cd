"""Templates, e-certificates, serial numbers and batches, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

from kms.core.ecertificates.templates import read_template
from kms.models.ecertificates import Batch, BatchRow, ECertificate, ECertificateTemplate
from kms.store.ecertificates import SqlBatchStore, SqlECertificateStore, SqlTemplateStore
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.ecertificate_office import AUTHORITY, TYPE, template_record

TEMPLATES, ISSUED, BATCHES = SqlTemplateStore(), SqlECertificateStore(), SqlBatchStore()
CODES = (TYPE, AUTHORITY)
TEMPLATE = ECertificateTemplate(
    id="ect_1",
    org_id="org_a",
    version=1,
    wish=read_template(template_record("seal_1")),
    state="proposed",
    created_by="acc_1",
    created_at=5,
    approval_id="apr_1",
    subject_hash="hash",
)
ONE = ECertificate(
    id="ecert_1",
    org_id="org_a",
    template_id="ect_1",
    type_code=TYPE,
    authority_code=AUTHORITY,
    type_name="许可证",
    authority="机关",
    number="N1",
    serial="1",
    version=1,
    identifier="i1",
    holder_masked="甲*",
    sealed=b"\x00sealed",
    token_hash="t1",
    valid_from=1,
    valid_until=None,
    issued_at=5,
    issued_by="acc_1",
    digest="d1",
    blob="b1",
    seal_id="seal_1",
    use_id="use_1",
)
TWO = replace(
    ONE, id="ecert_2", number="N2", identifier="i2", token_hash="t2", digest="d2", use_id="use_2"
)
BATCH = Batch("ecb_1", "org_a", "ect_1", "第一批", "{}", "acc_1", 5)
ROWS = [BatchRow("ecb_1", n, "org_a", b"\x00", str(n), f"N{n}", "甲*") for n in (1, 2, 3)]


def test_a_template_comes_back_as_it_was(spine: Spine) -> None:
    def work(tx: Transaction) -> None:
        TEMPLATES.insert_template(tx, TEMPLATE)
        assert TEMPLATES.template(tx, "org_a", "ect_1") == TEMPLATE
        assert TEMPLATES.template(tx, "org_b", "ect_1") is None
        assert TEMPLATES.templates(tx, "org_a", PageRequest()) == [TEMPLATE]
        assert TEMPLATES.last_version(tx, "org_a", TYPE) == 1
        assert TEMPLATES.last_version(tx, "org_a", "other") == 0
        assert TEMPLATES.active(tx, "org_a", TYPE) is None

    spine.transactions.run(work)


def test_a_template_changes_its_state_once(spine: Spine) -> None:
    def change(tx: Transaction) -> bool:
        return TEMPLATES.change_template(
            tx, "ect_1", before="proposed", after="active", reason="同意"
        )

    spine.transactions.run(lambda tx: TEMPLATES.insert_template(tx, TEMPLATE))
    assert [spine.transactions.run(change) for _ in range(2)] == [True, False]
    found = spine.transactions.read(lambda tx: TEMPLATES.active(tx, "org_a", TYPE))
    assert found is not None
    assert (found.state, found.state_reason) == ("active", "同意")


def test_serials_are_given_out_once(spine: Spine) -> None:
    def take(count: int, codes: tuple[str, str] = CODES) -> int:
        return spine.transactions.run(lambda tx: TEMPLATES.take_serials(tx, "org_a", codes, count))

    assert [take(1), take(3), take(1), take(2, ("other", AUTHORITY))] == [1, 2, 5, 1]


def test_an_ecertificate_is_found_by_what_it_is_asked_by(spine: Spine) -> None:
    def work(tx: Transaction) -> None:
        assert ISSUED.insert_ecertificate(tx, ONE)
        assert ISSUED.insert_ecertificate(tx, replace(TWO, replaces="ecert_1"))
        again = replace(ONE, id="ecert_3", identifier="i3", token_hash="t3", digest="d3")
        assert not ISSUED.insert_ecertificate(tx, replace(again, use_id="use_3"))
        assert ISSUED.ecertificate(tx, "org_a", "ecert_1") == ONE
        assert ISSUED.ecertificate(tx, "org_b", "ecert_1") is None
        assert ISSUED.by_token(tx, "t1") == ONE
        assert ISSUED.by_token(tx, "t9") is None
        assert ISSUED.by_digest(tx, "d1") == ONE
        assert ISSUED.replacement(tx, "ecert_1") == "ecert_2"
        assert ISSUED.replacement(tx, "ecert_2") is None
        assert ISSUED.taken_numbers(tx, CODES, ["N1", "N9"]) == {"N1"}
        assert ISSUED.taken_numbers(tx, CODES, []) == set()
        listed = ISSUED.ecertificates(tx, "org_a", PageRequest(), {"number": "N1"})
        assert listed == [ONE]

    spine.transactions.run(work)


def test_an_ecertificate_changes_its_state_from_what_it_was(spine: Spine) -> None:
    def change(tx: Transaction) -> bool:
        return ISSUED.change_ecertificate(
            tx, "ecert_1", before=("valid", "suspended"), after="revoked", reason="违法"
        )

    spine.transactions.run(lambda tx: ISSUED.insert_ecertificate(tx, ONE))
    assert [spine.transactions.run(change) for _ in range(2)] == [True, False]


def test_a_row_is_finished_once_and_names_its_use(spine: Spine) -> None:
    def start(tx: Transaction) -> None:
        BATCHES.insert_batch(tx, BATCH, ROWS)
        ISSUED.insert_ecertificate(tx, ONE)

    def finish(tx: Transaction) -> bool:
        return BATCHES.finish_row(tx, ROWS[0], certificate_id="ecert_1")

    spine.transactions.run(start)
    assert [spine.transactions.run(finish) for _ in range(2)] == [True, False]
    failed = spine.transactions.run(
        lambda tx: BATCHES.finish_row(tx, ROWS[1], certificate_id=None, error="why")
    )
    assert failed
    done = replace(ROWS[0], state="issued", certificate_id="ecert_1", use_id="use_1")

    def read(tx: Transaction) -> None:
        assert BATCHES.rows(tx, "ecb_1", None, limit=1) == [done]
        assert BATCHES.rows(tx, "ecb_1", "waiting", limit=9) == [ROWS[2]]
        assert [row.n for row in BATCHES.rows(tx, "ecb_1", None, limit=9, after=1)] == [2, 3]
        assert BATCHES.counts(tx, "ecb_1") == {"waiting": 1, "issued": 1, "failed": 1}

    spine.transactions.read(read)


def test_a_batch_is_opened_and_closed_once(spine: Spine) -> None:
    spine.transactions.run(lambda tx: BATCHES.insert_batch(tx, BATCH, ROWS))
    assert spine.transactions.read(BATCHES.open_batches) == [BATCH]
    assert spine.transactions.read(lambda tx: BATCHES.batch(tx, "org_b", "ecb_1")) is None
    assert spine.transactions.read(lambda tx: BATCHES.batches(tx, "org_a", PageRequest())) == [
        BATCH
    ]

    def close(tx: Transaction) -> bool:
        return BATCHES.set_open(tx, "ecb_1", before=True)

    assert [spine.transactions.run(close) for _ in range(2)] == [True, False]
    assert spine.transactions.read(BATCHES.open_batches) == []
