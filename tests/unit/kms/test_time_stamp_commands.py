"""Time-stamps on the command line and over the real key pool."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kms.commands import group
from kms.core.rfc3161.requests import FailureInfo
from kms.core.rfc3161.writing import rejected
from kms.core.rfc5652.reading import read_signed_data
from kms.errors.keys import PoolLocked
from kms.errors.time_stamps import TimeStampUnreadable
from kms.models.time_stamps import MAX_TOKEN
from kms.plane import open_seal_files
from kms.service.time_stamps import TimeStampAuthority
from secops.crypto.hashes import digest
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, TooLarge
from secops.kernel.parts import Parts
from secops.terminal.session import Session
from tests.fakes.key_pool import KEEPER, WHOLE, KeyPool, actor, open_key_pool
from tests.fakes.sealing import mint

STAFF = actor("acc_staff")


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
        return KEEPER if account == "security-admin" else STAFF

    def note_refusal(self, actor: Actor, error: Exception, command: str) -> None:
        """Leave it to the test."""

    def close(self) -> None:
        """Leave it to the test."""


@dataclass
class Shell:
    home: Path
    pool: KeyPool

    def run(self, *arguments: Any, who: str | None = None) -> Result:
        house = PoolHouse(self.pool)
        session = Session(
            self.home, who, lambda _: house, lambda place: iter([open_seal_files(place)])
        )
        return CliRunner().invoke(group, [str(each) for each in arguments], obj=session)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    home = tmp_path_factory.mktemp("stamping")
    with open_key_pool(home) as pool:
        yield Shell(home, pool)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "report.pdf"
    place.write_bytes(b"report")
    return place


@pytest.mark.parametrize("hash_name", ["sha256", "sm3"])
def test_a_file_is_stamped_and_verified(shell: Shell, file: Path, hash_name: str) -> None:
    stamp = file.with_suffix(".tsr")
    made = shell.run("create-time-stamp", file, "-o", stamp, "--hash", hash_name)
    assert (made.exit_code, made.stderr) == (0, f"{file} stamped: {stamp}\n")
    judged = shell.run("verify-time-stamp", file, stamp, "--json")
    answer = json.loads(judged.stdout)
    assert (judged.exit_code, answer["valid"], answer["hash"]) == (0, True, hash_name)
    assert [step["n"] for step in answer["steps"]] == list(range(1, 10))
    shown = shell.run("verify-time-stamp", file, stamp)
    assert shown.exit_code == 0
    assert "有效 / valid" in shown.stdout


def test_another_file_is_not_the_one_that_was_stamped(shell: Shell, file: Path) -> None:
    stamp = file.with_suffix(".tsr")
    shell.run("create-time-stamp", file, "-o", stamp)
    file.write_bytes(b"another report")
    judged = shell.run("verify-time-stamp", file, stamp)
    assert judged.exit_code == 1
    assert "it stamps something else" in judged.stdout.replace("\n", " ")
    assert "无效 / NOT valid" in judged.stdout


def test_anchors_can_be_named(shell: Shell, file: Path, tmp_path: Path) -> None:
    stamp = file.with_suffix(".tsr")
    shell.run("create-time-stamp", file, "-o", stamp)
    elsewhere = Shell(tmp_path / "empty", shell.pool)
    judged = elsewhere.run("verify-time-stamp", file, stamp, "--json")
    chain = next(
        step["ok"] for step in json.loads(judged.stdout)["steps"] if step["what"] == "chain"
    )
    assert (judged.exit_code, chain) == (1, None)
    roots = shell.home / "ca" / "root.pem"
    assert elsewhere.run("verify-time-stamp", file, stamp, "--trust", roots).exit_code == 0
    stranger = tmp_path / "stranger.pem"
    stranger.write_text(ssl.DER_cert_to_PEM_cert(mint().root))
    assert elsewhere.run("verify-time-stamp", file, stamp, "--trust", stranger).exit_code == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"hello", TimeStampUnreadable),
        (rejected(FailureInfo.BAD_ALGORITHM, "no"), TimeStampUnreadable),
        (b"\x30" * (MAX_TOKEN + 1), TooLarge),
    ],
)
def test_what_is_no_time_stamp_gets_no_verdict(
    shell: Shell, file: Path, content: bytes, error: type[Exception]
) -> None:
    stamp = file.with_suffix(".tsr")
    stamp.write_bytes(content)
    assert isinstance(shell.run("verify-time-stamp", file, stamp).exception, error)


def test_the_authority_gets_a_new_key(shell: Shell, file: Path) -> None:
    stamps = [file.with_suffix(f".{n}.tsr") for n in range(2)]
    shell.run("create-time-stamp", file, "-o", stamps[0])
    refused = shell.run("rotate-time-stamper", "--type", "ecdsa-p256")
    assert isinstance(refused.exception, Forbidden)
    rotated = shell.run("rotate-time-stamper", "--type", "ecdsa-p256", who="security-admin")
    assert rotated.exit_code == 0
    assert "CN=内置测试时间戳 P-256 2" in rotated.stderr
    shell.run("create-time-stamp", file, "-o", stamps[1])
    for stamp in stamps:
        assert shell.run("verify-time-stamp", file, stamp).exit_code == 0


def test_a_locked_pool_stamps_nothing(tmp_path: Path, file: Path) -> None:
    stamp = file.with_suffix(".tsr")
    with open_key_pool(tmp_path / "locked") as pool:
        pool.services.pool.lock(WHOLE)
        shell = Shell(tmp_path / "locked", pool)
        asked = shell.run("create-time-stamp", file, "-o", stamp)
        assert isinstance(asked.exception, PoolLocked)
        assert not stamp.exists()


def test_first_tokens_at_once_stand_under_one_certificate_each(tmp_path: Path) -> None:
    names = ("sm3", "sha256")
    with open_key_pool(tmp_path) as pool:
        # as other processes have them: nothing in common but the database
        others = [TimeStampAuthority(pool.services.authority) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            made = list(
                threads.map(
                    lambda n: others[n % 4].stamp(names[n % 2], digest(names[n % 2], b"%d" % n)),
                    range(8),
                )
            )
        assert len({read_signed_data(token).certificates for token in made}) == 2
        issued = [
            leaf["details"]["kind"]
            for leaf in pool.leaves()
            if leaf["action"] == "kms.issue_certificate"
        ]
        assert sorted(issued) == [
            "document_root",
            "document_time_stamper",
            "maker",
            "root",
            "time_stamper",
        ]
