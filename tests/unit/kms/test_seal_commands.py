"""The command line of seals over files alone: answers, exit codes, shape of the JSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kms.commands.seals import verify_seal
from kms.errors.seals import AnchorUnreadable, DocumentRejected, SealUnreadable
from kms.plane import open_seal_files
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import DAY, SystemClock
from secops.terminal.session import Session
from tests.fakes.sealing import DOCUMENT, Mint, Recipe, issue, make_seal, make_signature, new_mint

KEYS = {"valid", "kind", "version", "signatures", "warnings"}
SIGNATURE_KEYS = {"valid", "signer", "seal_name", "signed_at", "steps", "warnings"}


def no_house(home: Path) -> Any:
    msg = f"{home} is opened by a command over files alone"
    raise AssertionError(msg)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """Return a recipe of today, for the command asks the machine's clock."""
    day = SystemClock().now() - 2 * DAY
    root_key, maker_key, signer_key = (PrivateKey.generate() for _ in range(3))
    root = issue("root", root_key, root_key, common_name="根", start=day)
    maker = issue("maker", maker_key, root_key, common_name="制", issuer=root, start=day)
    signer = issue("signer", signer_key, root_key, common_name="签", issuer=root, start=day)
    today = Mint(root_key, maker_key, signer_key, root, maker, signer)
    times = {"created_at": day + DAY, "valid_from": day + DAY, "signed_at": day + DAY}
    return Recipe(mint=today, **times, valid_until=day + 30 * DAY)


def run(home: Path, *arguments: str) -> Result:
    session = Session(home, None, no_house, lambda place: iter([open_seal_files(place)]))
    return CliRunner().invoke(verify_seal, list(arguments), obj=session)


@pytest.fixture
def folder(tmp_path: Path, recipe: Recipe) -> Path:
    (tmp_path / "value.dat").write_bytes(make_signature(recipe))
    (tmp_path / "seal.esl").write_bytes(make_seal(recipe))
    (tmp_path / "notice.txt").write_bytes(DOCUMENT)
    (tmp_path / "root.pem").write_text(pem(recipe.mint.root))
    return tmp_path


def pem(certificate: bytes) -> str:
    body = base64.encodebytes(certificate).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def test_a_sound_value_with_its_document_and_anchor_is_valid(folder: Path) -> None:
    done = run(
        folder,
        str(folder / "value.dat"),
        *("--document", str(folder / "notice.txt"), "--trust", str(folder / "root.pem"), "--json"),
    )
    answer = json.loads(done.stdout)
    assert done.exit_code == 0
    assert set(answer) == KEYS
    assert set(answer["signatures"][0]) == SIGNATURE_KEYS
    assert [step["n"] for step in answer["signatures"][0]["steps"]] == list(range(1, 13))
    assert answer["valid"] is True


def test_the_homes_own_root_is_an_anchor(folder: Path) -> None:
    (folder / "ca").mkdir()
    (folder / "ca" / "root.pem").write_text((folder / "root.pem").read_text())
    assert run(folder, str(folder / "seal.esl")).exit_code == 0


def test_a_bare_seal_has_no_signer_and_no_signing_time(folder: Path) -> None:
    done = run(folder, str(folder / "seal.esl"), "--trust", str(folder / "root.pem"), "--json")
    verdict = json.loads(done.stdout)["signatures"][0]
    assert (verdict["signer"], verdict["signed_at"], verdict["valid"]) == (None, None, True)


def test_without_an_anchor_the_answer_is_no(folder: Path) -> None:
    done = run(folder, str(folder / "value.dat"), "--json")
    chain = [s for s in json.loads(done.stdout)["signatures"][0]["steps"] if s["what"] == "chain"]
    assert (done.exit_code, chain[0]["ok"]) == (1, None)


def test_another_document_is_refused_with_exit_code_1(folder: Path) -> None:
    done = run(
        folder,
        str(folder / "value.dat"),
        *("--document", str(folder / "seal.esl"), "--trust", str(folder / "root.pem")),
    )
    assert done.exit_code == 1
    assert "原文被篡改" in done.stdout


def test_a_strangers_anchor_does_not_help(folder: Path) -> None:
    (folder / "other.pem").write_text(pem(new_mint().root))
    done = run(folder, str(folder / "value.dat"), "--trust", str(folder / "other.pem"))
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"%PDF-1.7 ...", DocumentRejected),
        (b"hello", SealUnreadable),
        (b"", SealUnreadable),
    ],
)
def test_what_can_not_be_judged_gets_no_verdict(
    folder: Path, content: bytes, error: type[Exception]
) -> None:
    (folder / "file").write_bytes(content)
    done = run(folder, str(folder / "file"), "--json")
    assert isinstance(done.exception, error)
    assert done.exception.exit_code == 2
    assert done.stdout == ""


@pytest.mark.parametrize(
    "text", ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n", pem(b"\x30\x00"), pem(b"")]
)
def test_an_anchor_that_is_no_certificate_is_refused(folder: Path, text: str) -> None:
    (folder / "bad.pem").write_text(text)
    done = run(folder, str(folder / "seal.esl"), "--trust", str(folder / "bad.pem"))
    assert isinstance(done.exception, AnchorUnreadable)


def test_a_malformed_file_is_a_verdict_and_not_an_error(folder: Path) -> None:
    (folder / "cut.dat").write_bytes((folder / "value.dat").read_bytes()[:-5])
    done = run(folder, str(folder / "cut.dat"), "--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert answer["kind"] == "unknown"
    assert [step["what"] for step in answer["signatures"][0]["steps"]] == ["structure"]


@pytest.mark.parametrize("name", ["\x1b[2J\x1b[1;1H有效 / valid", "印章[/bold]", "章\u202e\x9b2K"])
def test_what_a_seal_calls_itself_steers_no_terminal(
    folder: Path, recipe: Recipe, name: str
) -> None:
    hostile = folder / "hostile.esl"
    hostile.write_bytes(make_seal(recipe.but(name=name)))
    done = run(folder, str(hostile), "--trust", str(folder / "root.pem"))
    assert (done.exit_code, done.exception) == (0, None)
    assert not {"\x1b", "\x9b", "\u202e"} & set(done.output)
    assert "[/bold]" in done.output or "[/bold]" not in name
