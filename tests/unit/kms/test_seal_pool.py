"""Seals over the real key pool: keys never leave it, and a locked pool seals nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms.adapters.pictures import FONTS
from kms.errors.keys import PoolLocked
from kms.models.seal_registry import SealRecord, SealRequest
from kms.plane import open_seal_files
from kms.service import KmsServices
from secops.crypto.hashes import sm3
from secops.kernel.clock import DAY
from secops.kernel.pages import PageRequest
from tests.fakes.key_pool import AUDITOR, KEEPER, WHOLE, KeyPool, actor, open_key_pool
from tests.fakes.sealing import DOCUMENT

APPLICANT = actor("acc_applicant", "seal-applicant")
HOLDER = actor("acc_holder", "seal-holder")

pytestmark = pytest.mark.skipif(
    not any(path.is_file() for path in FONTS), reason="no Chinese font: fonts-wqy-microhei"
)


def make(services: KmsServices) -> SealRecord:
    request = SealRequest("临江县数据局", "round", "临江县数据局", ("acc_holder",), "用印")
    application = services.seal_applications.apply_seal(APPLICANT, request)
    services.seal_applications.decide_application(KEEPER, application.id, grant=True, reason="可")
    return services.seal_making.make_seal(KEEPER, application.id)


def use(pool: KeyPool, seal: SealRecord) -> bytes:
    return pool.services.seal_using.use_seal(
        HOLDER, seal.id, document_digest=sm3(DOCUMENT), purpose="印发"
    ).value


def test_a_seal_of_the_pool_verifies_in_the_service_and_over_files_alone(tmp_path: Path) -> None:
    with open_key_pool(tmp_path) as pool:
        value = use(pool, make(pool.services))
        assert pool.services.seal_verification.verify_seal(value, DOCUMENT).valid
        report = open_seal_files(tmp_path).verify_seal(value, DOCUMENT, [])
        found = {step.what: step.ok for step in report.signatures[0].steps}
        assert (found["chain"], found["signature"], found["digest"]) == (True, True, True)


def test_a_locked_pool_makes_and_uses_no_seal(tmp_path: Path) -> None:
    with open_key_pool(tmp_path) as pool:
        seal = make(pool.services)
        pool.services.pool.lock(WHOLE)
        with pytest.raises(PoolLocked):
            use(pool, seal)
        with pytest.raises(PoolLocked):
            make(pool.services)
        uses = pool.services.seal_using.list_uses(AUDITOR, seal.id, PageRequest())
        assert list(uses.items) == []


def test_two_seals_stand_under_one_root_and_one_maker(tmp_path: Path) -> None:
    with open_key_pool(tmp_path) as pool:
        make(pool.services)
        make(pool.services)
        issued = [
            leaf["details"]["kind"]
            for leaf in pool.leaves()
            if leaf["action"] == "kms.issue_certificate"
        ]
        assert issued == ["root", "maker", "signer", "signer"]


def test_no_private_key_of_a_seal_is_in_the_home(tmp_path: Path) -> None:
    with open_key_pool(tmp_path) as pool:
        use(pool, make(pool.services))
    material = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"seal-ca-root" in material
    assert bytes.fromhex("308187020100301306072a8648ce3d0201") not in material
    assert b"PRIVATE KEY" not in material


def test_a_value_of_today_is_valid_in_a_year_and_warns_after_the_seal_ended(
    tmp_path: Path,
) -> None:
    with open_key_pool(tmp_path) as pool:
        value = use(pool, make(pool.services))
        clock = pool.spine.parts.clock
        for years, expected in ((1, 1), (4, 3)):
            later = FixedClock(clock.now() + years * 365 * DAY)
            parts = open_seal_files(tmp_path)
            parts._clock = later
            report = parts.verify_seal(value, DOCUMENT, [])
            assert report.valid
            assert len(report.signatures[0].warnings) == expected


class FixedClock:
    def __init__(self, instant: int) -> None:
        self._instant = instant

    def now(self) -> int:
        return self._instant

    def monotonic(self) -> float:
        return 0.0
