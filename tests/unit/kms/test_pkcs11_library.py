"""A PKCS#11 library is told that many threads call it, whenever it is begun."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kms.adapters.backends.pkcs11 import Pkcs11Backend
from kms.adapters.backends.pkcs11_library import open_library
from kms.errors.backends import BackendFault
from kms.models.backends import BackendOptions
from secops.kernel.ids import SystemRandomness

SOURCE = Path("tests/services/pkcs11_mock/pkcs11_mock.c")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc (Debian: gcc, libc6-dev)")
    made = tmp_path / "libmock.so"
    command = (compiler, "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", made, SOURCE)
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    monkeypatch.setenv("PKCS11_MOCK_NOTES", str(tmp_path / "notes"))
    return made


def notes(library: Path) -> list[str]:
    return (library.parent / "notes").read_text().splitlines()


def test_the_library_may_lock_from_the_first_call_and_after_each_new_beginning(
    library: Path,
) -> None:
    opened = open_library(library)
    assert notes(library) == ["begin 2"]
    opened.reinitialize()
    assert notes(library) == ["begin 2", "end 0", "begin 2"]


def test_a_library_that_was_begun_with_another_promise_is_begun_anew(library: Path) -> None:
    first = open_library(library)
    again = open_library(library)
    assert notes(library) == ["begin 2", "end 0", "begin 2"]
    assert first.so == again.so


def test_a_library_that_cant_lock_is_a_fault(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKCS11_MOCK_NO_LOCKS", "1")
    with pytest.raises(BackendFault, match="C_Initialize gave 0xa"):
        open_library(library)


@pytest.mark.parametrize("content", [b"", b"not a library"])
def test_a_file_that_is_no_library_is_a_fault_at_every_check(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "libother.so"
    file.write_bytes(content)
    device = Pkcs11Backend(
        BackendOptions("hsm", "pkcs11", library=file, token="t"), SystemRandomness()
    )
    for _ in range(2):
        with pytest.raises(BackendFault, match="is no PKCS#11 library"):
            device.check()
    assert device.algorithms == frozenset()
