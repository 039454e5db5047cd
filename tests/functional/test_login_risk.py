"""Sign-in, ledger, log store, model and step-up in one opened home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from detectors.errors import ModelRejected
from detectors.models.anomalies import LOGIN_MODEL, LoginAssessment, Weight
from iam.errors import SignInUnusual
from iam.models.sessions import FactorAttempt, PasswordAttempt
from iam.ports import SignInFacts
from secops.app import open_house
from secops.bridges.house import House
from secops.bridges.keys import PoolModelSigner
from secops.bridges.login_risk import LateLoginRisk
from secops.kernel.logs import Term, Window
from tests.fakes.demo_site import make_demo_home, read_logins

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; UOS) Chrome/130.0.0.0"
FACTS = SignInFacts(
    "acc_1", "org_root", frozenset({"staff"}), 1, "203.0.113.9", BROWSER, "", 0, None, "", "otp"
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("risk") / "home"
    make_demo_home(home)
    opened = open_house(home)
    yield opened
    opened.close()


def sign_in(house: House, account: str) -> None:
    login = read_logins(house.settings.home)[account]
    reference = house.iam.sign_in.begin(PasswordAttempt(account, login.password, "203.0.113.9"))
    code = login.code(house.parts.clock.now())
    attempt = FactorAttempt(reference, code, "203.0.113.9", user_agent=BROWSER)
    house.iam.sign_in.finish(attempt)


def job(house: House, name: str) -> None:
    jobs = {job.name: job for plane in house.planes for job in plane.jobs}
    while jobs[name].tick():
        pass


def test_a_sign_in_enters_the_log_store_with_its_features_and_without_the_address(
    house: House,
) -> None:
    sign_in(house, "staff")
    house.audits.ledger.sequencer.drain()
    job(house, "detectors.watch_ledger")
    job(house, "detectors.store_logs")
    store = house.detectors.models.training.logs
    query = Term("event.action", "iam.assess_sign_in", quoted=True)
    (found,) = store.search(query, Window(), 10)
    assert found.event.fields["details.answer"] == "unjudged"
    assert str(found.event.fields["details.source"]).startswith("?/?/")
    assert found.event.fields["details.agent"] != BROWSER
    assert b"203.0.113.9" not in found.event.raw
    assert BROWSER.encode() not in found.event.raw


def test_the_pools_signatures_hold_a_model_and_nothing_else(house: House) -> None:
    signer = PoolModelSigner(house.kms)
    made = signer.sign_model(b"statement")
    assert set(made) == {"sm2-sm3", "ecdsa-p256-sha256"}
    signer.verify_model(b"statement", made)
    with pytest.raises(ModelRejected, match="fit"):
        signer.verify_model(b"another", made)
    for name in made:
        for bent in ({**made, name: "00"}, {**made, name: "no hex"}, {name: made[name]}):
            with pytest.raises(ModelRejected):
                signer.verify_model(b"statement", bent)
    with pytest.raises(ModelRejected, match="both"):
        signer.verify_model(b"statement", {})


def test_every_bit_of_a_signature_counts(house: House) -> None:
    signer = PoolModelSigner(house.kms)
    made = signer.sign_model(b"statement")
    signature = bytearray(bytes.fromhex(made["ecdsa-p256-sha256"]))
    for place in range(0, len(signature), 7):
        bent = bytearray(signature)
        bent[place] ^= 1
        with pytest.raises(ModelRejected):
            signer.verify_model(b"statement", {**made, "ecdsa-p256-sha256": bent.hex()})


class Judge:
    """Stands where the detectors' service stands."""

    def __init__(self, found: LoginAssessment) -> None:
        self.found = found

    def assess(self, facts: object) -> LoginAssessment:
        del facts
        return self.found


def test_the_bridge_passes_advice_and_reasons_as_a_ledger_can_hold_them(house: House) -> None:
    weights = (Weight("source", "country", 4.1234, 0.0), Weight("hour", "hour", -0.5, 2.25))
    found = LoginAssessment(
        "step_up", 0.9991234, alert=True, model="mdl_1", features={"idle": "first"}, weights=weights
    )
    bridge = LateLoginRisk()
    assert bridge.assess(FACTS).answer == "unjudged"
    bridge.bind(replace(house.detectors, login_risk=Judge(found)))  # type: ignore[arg-type]
    advice = bridge.assess(FACTS)
    assert advice.answer == "step_up"
    assert advice.details == {
        "idle": "first",
        "alert": True,
        "model": "mdl_1",
        "risk": 999_123,
        "why": ["source.country:4123:0", "hour.hour:-500:2.25"],
    }


def test_a_risky_sign_in_in_an_assembled_home_asks_for_one_more_code(house: House) -> None:
    risky = LoginAssessment("step_up", 0.9999, alert=True, model="mdl_1", features={})
    judging = house.iam.sign_in.means.login_risk
    assert isinstance(judging, LateLoginRisk)
    judging.bind(replace(house.detectors, login_risk=Judge(risky)))  # type: ignore[arg-type]
    try:
        with pytest.raises(SignInUnusual):
            sign_in(house, "analyst")
    finally:
        judging.bind(house.detectors)


def test_the_jobs_of_anomalies_run_in_an_empty_home_and_train_nothing(house: House) -> None:
    job(house, "detectors.train_models")
    job(house, "detectors.watch_anomalies")
    training = house.detectors.models.training
    assert training.vault.active(LOGIN_MODEL) is None
