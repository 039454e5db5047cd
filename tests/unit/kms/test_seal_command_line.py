"""The whole way of a seal on the command line, over the real key pool."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kms.adapters.pictures import FONTS
from kms.commands import group
from kms.errors.seals import NotSealHolder, SealNotUsable, SealUseRefused
from kms.plane import open_seal_files
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Forbidden
from secops.kernel.parts import Parts
from secops.terminal.session import Session
from tests.fakes.key_pool import KeyPool, actor, open_key_pool
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.pdf_pages import paged_pdf

ACTORS = {
    each.id: each
    for each in (
        actor("applicant", "seal-applicant"),
        actor("security", "security-admin"),
        actor("holder", "seal-holder"),
        actor("other", "seal-holder"),
        actor("auditor", "auditor"),
    )
}

pytestmark = pytest.mark.skipif(
    not any(path.is_file() for path in FONTS), reason="no Chinese font: fonts-wqy-microhei"
)


@dataclass
class PoolHouse:
    pool: KeyPool

    @property
    def parts(self) -> Parts:
        return self.pool.spine.parts

    @property
    def services(self) -> Sequence[object]:
        return (self.pool.services,)

    def act_as(self, account: str | None) -> Actor:
        return ACTORS[str(account)]

    def close(self) -> None:
        """Leave it to the test."""


@dataclass
class Shell:
    home: Path
    house: PoolHouse

    def run(self, who: str, *arguments: Any) -> Result:
        session = Session(self.home, who, lambda _: self.house)
        session.open_files = lambda home: iter([open_seal_files(home)])
        return CliRunner().invoke(group, [str(each) for each in arguments], obj=session)

    def answer(self, who: str, *arguments: Any) -> Any:
        done = self.run(who, *arguments, "--json")
        assert done.exit_code == 0, done.exception
        return json.loads(done.stdout)

    def seal(self) -> str:
        apply = ("apply-seal", "临江县数据局", "--organization", "临江县", "--holder", "holder")
        application = self.answer("applicant", *apply, "--reason", "用印")["id"]
        assert self.run("security", "approve-seal", application, "--reason", "同意").exit_code == 0
        return str(self.answer("security", "make-seal", application)["id"])


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    # the command that works on files alone asks the machine's clock, so the pool does, too
    with open_key_pool(tmp_path / "home", clock=SystemClock()) as pool:
        yield Shell(tmp_path / "home", PoolHouse(pool))


def test_a_seal_goes_its_whole_way(shell: Shell, tmp_path: Path) -> None:
    seal = shell.seal()
    notice, value = tmp_path / "notice.txt", tmp_path / "notice.dat"
    notice.write_bytes(b"notice" * 400_000)
    used = shell.answer("holder", "use-seal", seal, notice, "-o", value, "--purpose", "印发")
    assert used["seal_id"] == seal
    report = shell.answer("nobody", "verify-seal", value, "--document", notice)
    assert report["valid"] is True
    notice.write_bytes(b"other")
    assert shell.run("nobody", "verify-seal", value, "--document", notice).exit_code == 1


def test_a_seal_goes_into_an_ofd(shell: Shell, tmp_path: Path) -> None:
    seal = shell.seal()
    notice, sealed = tmp_path / "notice.ofd", tmp_path / "sealed.OFD"
    notice.write_bytes(pack(paged_document(3)))
    placed = ("--at", "1,120,200", "--at", "-1,20,20.5", "--edge", "100")
    used = shell.answer("holder", "use-seal", seal, notice, "-o", sealed, *placed)
    assert (used["form"], used["seal_id"]) == ("ofd", seal)
    report = shell.answer("nobody", "verify-seal", sealed)
    assert (report["valid"], report["kind"]) == (True, "ofd")
    again = tmp_path / "again.ofd"
    assert shell.run("holder", "use-seal", seal, sealed, "-o", again).exit_code == 0
    assert len(shell.answer("nobody", "verify-seal", again)["signatures"]) == 2


@pytest.mark.parametrize(("more", "form"), [((), "pdf"), (("--sm2",), "pdf_sm2")])
def test_a_seal_goes_into_a_pdf(
    shell: Shell, tmp_path: Path, more: tuple[str, ...], form: str
) -> None:
    notice, sealed = tmp_path / "notice.pdf", tmp_path / "sealed.pdf"
    notice.write_bytes(paged_pdf(2))
    place = ("--at", "-1,120,200")
    used = shell.answer("holder", "use-seal", shell.seal(), notice, "-o", sealed, *place, *more)
    assert used["form"] == form
    report = shell.answer("nobody", "verify-seal", sealed)
    assert (report["valid"], report["kind"]) == (True, "pdf")


@pytest.mark.parametrize("place", ["1,2", "a,1,1", "1,1,1,1", "1.5,1,1"])
def test_a_place_that_is_none_is_wrong_usage(shell: Shell, tmp_path: Path, place: str) -> None:
    notice = tmp_path / "notice.ofd"
    notice.write_bytes(pack(paged_document()))
    done = shell.run("holder", "use-seal", "s", notice, "-o", tmp_path / "o.ofd", "--at", place)
    assert done.exit_code == 2
    beside = shell.run("holder", "use-seal", "s", notice, "-o", tmp_path / "o.dat", "--edge", "1")
    assert beside.exit_code == 2


def test_a_seal_is_made_in_the_format_asked_for(shell: Shell, tmp_path: Path) -> None:
    apply = ("apply-seal", "临江县数据局", "--organization", "临江县", "--holder", "holder")
    more = ("--reason", "用印", "--format-version", "5")
    application = shell.answer("applicant", *apply, *more)["id"]
    assert shell.run("security", "approve-seal", application, "--reason", "同意").exit_code == 0
    esl = tmp_path / "seal.esl"
    assert shell.run("security", "make-seal", application, "-o", esl).exit_code == 0
    assert shell.answer("nobody", "verify-seal", esl)["version"] == 5


def test_a_use_policy_is_set_and_shown(shell: Shell, tmp_path: Path) -> None:
    seal = shell.seal()
    limits = ("--class", "公文", "--user", "holder", "--hours", "00:00-24:00", "--days", "1-7")
    more = ("--daily-cap", "1", "--max-risk", "40")
    assert shell.answer("security", "set-use-policy", seal, *limits, *more)["version"] == 1
    shown = shell.answer("auditor", "show-use-policy", seal)
    assert (shown["document_classes"], shown["daily_cap"]) == (["公文"], 1)
    assert "公文" in shell.run("auditor", "show-use-policy", seal).output
    notice = tmp_path / "notice.txt"
    notice.write_bytes(b"notice")
    used = ("use-seal", seal, notice, "-o", tmp_path / "v.dat")
    assert isinstance(shell.run("holder", *used).exception, SealUseRefused)
    assert shell.run("holder", *used, "--class", "公文").exit_code == 0
    assert isinstance(shell.run("holder", *used, "--class", "公文").exception, SealUseRefused)


@pytest.mark.parametrize(
    "wrong", [("--hours", "8-18"), ("--hours", "08:00"), ("--days", "x"), ("--days", "0-7")]
)
def test_a_policy_that_is_not_understood_is_wrong_usage(
    shell: Shell, wrong: tuple[str, str]
) -> None:
    assert shell.run("security", "set-use-policy", "seal_1", *wrong).exit_code == 2


def test_lists_show_applications_and_seals(shell: Shell) -> None:
    seal = shell.seal()
    listed = shell.answer("auditor", "list-seals")
    assert [(item["id"], item["marking"]) for item in listed["items"]] == [(seal, "测试/内部用")]
    listed = shell.answer("security", "list-seal-applications")
    assert [(item["approval"], item["seal_id"]) for item in listed["items"]] == [("used", seal)]
    for command in ("list-seals", "list-seal-applications"):
        done = shell.run("auditor", command)
        assert done.exit_code == 0
        assert "临江县数据局" in done.stdout.replace("\n", "")


def test_a_seal_and_its_picture_are_written_to_files(shell: Shell, tmp_path: Path) -> None:
    seal = shell.seal()
    esl, png = tmp_path / "seal.esl", tmp_path / "seal.png"
    done = shell.run("auditor", "export-seal", seal, "-o", esl, "--picture", png)
    assert done.exit_code == 0
    assert png.read_bytes().startswith(b"\x89PNG")
    assert shell.run("nobody", "verify-seal", esl).exit_code == 0
    assert shell.run("auditor", "export-seal", seal).exit_code == 0


def test_a_made_seal_is_written_where_it_was_asked_for(shell: Shell, tmp_path: Path) -> None:
    apply = ("apply-seal", "临江县财政局", "--organization", "临江县", "--holder", "holder")
    application = shell.run("applicant", *apply, "--reason", "用印").stdout.strip()
    shell.run("security", "approve-seal", application, "--reason", "同意")
    esl = tmp_path / "made.esl"
    made = shell.run("security", "make-seal", application, "-o", esl)
    assert made.stdout.startswith("seal_")
    assert "测试/内部用" in made.stderr
    assert esl.read_bytes()[:1] == b"\x30"


def test_a_rejected_application_makes_no_seal(shell: Shell) -> None:
    apply = ("apply-seal", "临江县财政局", "--organization", "临江县", "--holder", "holder")
    application = shell.run("applicant", *apply, "--reason", "用印").stdout.strip()
    done = shell.run("security", "approve-seal", application, "--reject", "--reason", "不合规")
    assert "rejected" in done.stderr
    assert isinstance(shell.run("security", "make-seal", application).exception, NotPending)


def test_a_seal_is_suspended_resumed_and_revoked(shell: Shell, tmp_path: Path) -> None:
    seal = shell.seal()
    notice = tmp_path / "notice.txt"
    notice.write_bytes(b"notice")
    use = ("use-seal", seal, notice, "-o", tmp_path / "value.dat")
    for verb, refused in (("suspend", True), ("resume", False), ("revoke", True)):
        assert shell.run("security", f"{verb}-seal", seal, "--reason", "原因").exit_code == 0
        done = shell.run("holder", *use)
        assert isinstance(done.exception, SealNotUsable) is refused
    assert SealNotUsable.exit_code == 4


@pytest.mark.parametrize(
    ("who", "error"), [("other", NotSealHolder), ("security", Forbidden), ("auditor", Forbidden)]
)
def test_who_is_no_holder_seals_nothing(
    shell: Shell, tmp_path: Path, who: str, error: type[Exception]
) -> None:
    seal = shell.seal()
    notice, value = tmp_path / "notice.txt", tmp_path / "value.dat"
    notice.write_bytes(b"notice")
    done = shell.run(who, "use-seal", seal, notice, "-o", value)
    assert isinstance(done.exception, error)
    assert not value.exists()


def test_a_pdf_is_previewed_sealed_for_long_and_its_verdict_signed(
    shell: Shell, tmp_path: Path
) -> None:
    seal = shell.seal()
    notice, page, sealed = (tmp_path / name for name in ("n.pdf", "n.png", "s.pdf"))
    notice.write_bytes(paged_pdf(2))
    at = ("--at", "-1,120,200")
    seen = shell.answer("holder", "preview-stamp", seal, notice, "-o", page, *at)
    assert seen == {"page": 2, "pages": 2, "blank": False}
    assert page.read_bytes().startswith(b"\x89PNG")
    wish = ("use-seal", seal, notice, "-o", sealed, *at, "--pades", "b-lta", "--rsa")
    assert shell.answer("holder", *wish)["form"] == "pdf"
    verdict = tmp_path / "verdict.pdf"
    report = shell.answer("auditor", "verify-seal", sealed, "--report", verdict)
    assert [each["valid"] for each in report["signatures"]] == [True, True]
    again = shell.answer("nobody", "verify-seal", verdict)
    assert again["signatures"][0]["signer"].startswith("CN=验章结论")
    sealed.write_bytes(sealed.read_bytes().replace(b"(Notice 1)", b"(Notice 7)"))
    changed = shell.run("auditor", "verify-seal", sealed, "--report", verdict)
    assert (changed.exit_code, "NOT valid" in changed.stdout) == (1, True)
    assert shell.answer("nobody", "verify-seal", verdict)["valid"]


def test_options_that_do_not_fit_the_wish_are_refused(shell: Shell, tmp_path: Path) -> None:
    notice, verdict = tmp_path / "n.pdf", tmp_path / "verdict.pdf"
    notice.write_bytes(paged_pdf())
    for name, options in (
        ("s.dat", ("--pades", "b-t")),
        ("s.dat", ("--rsa",)),
        ("s.ofd", ("--rsa",)),
        ("s.pdf", ("--sm2", "--pades", "b-b")),
    ):
        output = tmp_path / name
        done = shell.run("holder", "use-seal", "seal_x", notice, "-o", output, *options)
        assert (done.exit_code, output.exists()) == (2, False)
    # the instance signs what it believes itself
    for option in ("--trust", "--crl"):
        done = shell.run("auditor", "verify-seal", notice, "--report", verdict, option, notice)
        assert (done.exit_code, verdict.exists()) == (2, False)
