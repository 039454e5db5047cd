"""An unusual sign-in costs one more, fresh code; it never locks, and nobody goes around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from iam.errors import SignInRefused, SignInUnusual
from iam.models.sessions import FactorAttempt, Opened, PasswordAttempt
from iam.ports import NoLoginRisk, RiskAdvice, SignInFacts
from tests.fakes.iam_home import ADDRESS, IamHome, open_iam_home

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"


class Judge:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: RiskAdvice = RiskAdvice("allow", {"risk": 10, "source": "cn/x"})
        self.asked: list[SignInFacts] = []

    def assess(self, facts: SignInFacts) -> RiskAdvice:
        self.asked.append(facts)
        return self.answer


STEP_UP = RiskAdvice("step_up", {"risk": 999_000, "source": "us/y", "why": ["a:1:0"]})


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def home(tmp_path: Path, judge: Judge) -> Iterator[IamHome]:
    opened = open_iam_home(tmp_path, login_risk=judge)
    yield opened
    opened.close()


def finish(home: IamHome, reference: str, code: str, device: str = "") -> Opened:
    attempt = FactorAttempt(reference, code, ADDRESS, user_agent=BROWSER, device=device)
    return home.services.sign_in.finish(attempt)


def stepped_up(home: IamHome, role: str = "staff") -> str:
    with pytest.raises(SignInUnusual) as caught:
        finish(home, home.begin(role), home.code(role))
    return caught.value.reference


def assessments(home: IamHome) -> list[tuple[str, str, str, str]]:
    return [
        (
            leaf["outcome"],
            leaf["details"]["answer"],
            leaf["target"].partition(":")[0],
            leaf["actor"]["kind"],
        )
        for leaf in home.leaves()
        if leaf["action"] == "iam.assess_sign_in"
    ]


def test_a_usual_sign_in_goes_on_and_is_recorded_with_its_features(
    home: IamHome, judge: Judge
) -> None:
    opened = finish(home, home.begin("staff"), home.code("staff"))
    (leaf,) = [each for each in home.leaves() if each["action"] == "iam.assess_sign_in"]
    assert leaf["target"] == f"session:{opened.session.id}"
    assert leaf["details"] == {"answer": "allow", "risk": 10, "source": "cn/x"}
    (facts,) = judge.asked
    assert (facts.address, facts.user_agent, facts.device) == (ADDRESS, BROWSER, "")
    assert (facts.last_at, facts.last_address, facts.failures) == (None, "", 0)
    assert (facts.roles, facts.factor) == (frozenset({"staff"}), "otp")


def test_an_unusual_sign_in_opens_nothing_until_another_code(home: IamHome, judge: Judge) -> None:
    judge.answer = STEP_UP
    reference = stepped_up(home)
    assert home.services.sessions.by_cookie("") is None
    account = home.actor("staff").id
    assert list(home.services.containment.sessions_of(account)) == []
    home.clock.advance(30)
    opened = finish(home, reference, home.code("staff"))
    assert opened.session.account_id == account
    assert assessments(home) == [
        ("refused", "step_up", "account", "account"),
        ("done", "passed", "session", "account"),
    ]


def test_the_code_that_was_used_is_not_good_for_the_second_proof(
    home: IamHome, judge: Judge
) -> None:
    judge.answer = STEP_UP
    reference = stepped_up(home)
    with pytest.raises(SignInRefused):
        finish(home, reference, home.code("staff"))


def test_a_wrong_recovery_code_is_no_second_proof(home: IamHome, judge: Judge) -> None:
    judge.answer = STEP_UP
    reference = stepped_up(home)
    with pytest.raises(SignInRefused):
        finish(home, reference, "not-a-recovery-code")
    assert judge.asked[-1].factor == "recovery"


def test_beginning_again_does_not_go_around_it(home: IamHome, judge: Judge) -> None:
    judge.answer = STEP_UP
    stepped_up(home)
    home.clock.advance(30)
    stepped_up(home)


def test_the_reference_works_once_and_only_for_its_account(home: IamHome, judge: Judge) -> None:
    judge.answer = STEP_UP
    reference = stepped_up(home)
    home.clock.advance(30)
    with pytest.raises(SignInRefused):
        finish(home, reference, home.code("analyst"))
    finish(home, reference, home.code("staff"))
    home.clock.advance(30)
    with pytest.raises(SignInRefused):
        finish(home, reference, home.code("staff"))


def test_the_proof_must_come_within_five_minutes(home: IamHome, judge: Judge) -> None:
    judge.answer = STEP_UP
    reference = stepped_up(home)
    home.clock.advance(301)
    with pytest.raises(SignInRefused):
        finish(home, reference, home.code("staff"))


def test_risk_never_locks(home: IamHome, judge: Judge) -> None:
    """A stranger's odd sign-ins can't keep the owner out: nothing is counted."""
    judge.answer = STEP_UP
    for _ in range(12):
        stepped_up(home)
        home.clock.advance(30)
    judge.answer = RiskAdvice("allow")
    assert finish(home, home.begin("staff"), home.code("staff")).cookie


def test_a_wrong_code_is_not_judged(home: IamHome, judge: Judge) -> None:
    wrong = "000000" if home.code("staff") != "000000" else "111111"
    with pytest.raises(SignInRefused):
        finish(home, home.begin("staff"), wrong)
    assert judge.asked == []
    assert assessments(home) == []


def test_failures_device_and_last_sign_in_are_told(home: IamHome, judge: Judge) -> None:
    first = finish(home, home.begin("staff"), home.code("staff"))
    home.clock.advance(3_600)
    with pytest.raises(SignInRefused):
        home.begin("staff", password="Xk7#mPq9vT2w")
    with pytest.raises(SignInRefused):
        finish(home, home.begin("staff"), "000001" if home.code("staff") != "000001" else "2")
    finish(home, home.begin("staff"), home.code("staff"))
    facts = judge.asked[-1]
    assert facts.failures == 3  # a wrong password, and a wrong code counts for both counters
    assert facts.last_at == first.session.auth_time
    assert facts.last_address == ADDRESS
    home.clock.advance(30)
    finish(home, home.begin("staff"), home.code("staff"), device=first.device)
    assert len(judge.asked[-1].device) == 64


def test_another_persons_device_is_no_known_one(home: IamHome, judge: Judge) -> None:
    theirs = finish(home, home.begin("analyst"), home.code("analyst")).device
    finish(home, home.begin("staff"), home.code("staff"), device=theirs)
    assert judge.asked[-1].device == ""


def test_nobody_to_judge_means_the_usual_factors(home: IamHome, judge: Judge) -> None:
    judge.answer = NoLoginRisk().assess(None)  # type: ignore[arg-type]
    finish(home, home.begin("staff"), home.code("staff"))
    assert assessments(home) == [("done", "unjudged", "session", "account")]


def test_the_machines_own_command_line_is_not_judged(home: IamHome, judge: Judge) -> None:
    attempt = PasswordAttempt("staff", home.demo["staff"].password, "local")
    assert home.services.sign_in.open_terminal(attempt, home.code("staff"))
    assert judge.asked == []


def test_a_forged_reference_does_not_skip_the_step_up(home: IamHome, judge: Judge) -> None:
    judge.answer = STEP_UP
    reference = stepped_up(home)
    home.clock.advance(30)
    with pytest.raises(SignInRefused):
        finish(home, reference[:-4] + "AAAA", home.code("staff"))
