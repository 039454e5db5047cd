"""The page that asks for one more code, in the console itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.models.anomalies import LoginAssessment, LoginFacts
from secops.bridges.login_risk import LateLoginRisk
from tests.fakes.console_site import STEP, ConsoleSite, Reader, open_console_site

RISKY = LoginAssessment("step_up", 0.9999, alert=True, model="mdl_1", features={})


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> ConsoleSite:
    """A house of its own: elsewhere these accounts may just have used the code of this step."""
    return open_console_site(tmp_path_factory.mktemp("unusual") / "home")


class Judge:
    def __init__(self) -> None:
        self.asked: list[LoginFacts] = []

    def assess(self, facts: LoginFacts) -> LoginAssessment:
        self.asked.append(facts)
        return RISKY


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_unusual_sign_in_is_asked_again_and_goes_on(console: ConsoleSite, language: str) -> None:
    house, name = console.site.house, "staff" if language == "zh" else "integrator"
    judging = house.iam.sign_in.means.login_risk
    assert isinstance(judging, LateLoginRisk)
    judge, login = Judge(), console.site.logins[name]
    judging.bind(replace(house.detectors, login_risk=judge))  # type: ignore[arg-type]
    try:
        reader = Reader(console.site, language=language)
        transaction = reader._begin()
        form = {"transaction": transaction, "name": name, "password": login.password}
        asked = reader.post("/login", form)
        now = house.parts.clock.now()
        first = {"transaction": transaction, "reference": reference_of(asked.text)}
        again = reader.post("/login/factor", {**first, "code": login.code(now)})
        assert again.status == 401
        sentence = "本次登录与平时不同" if language == "zh" else "This sign-in is unusual"
        assert sentence in again.text
        assert "op_session" not in reader.jar
        second = {"transaction": transaction, "reference": reference_of(again.text)}
        assert second["reference"] != first["reference"]
        done = reader.post("/login/factor", {**second, "code": login.code(now + STEP)})
        assert done.status == 303
        assert "op_session" in reader.jar
        assert judge.asked[0].address == "127.0.0.1"
    finally:
        judging.bind(house.detectors)


def reference_of(page: str) -> str:
    return page.partition('name="reference" value="')[2].partition('"')[0]
