"""Crypto machines in software: ``sdf_mock/sdf_mock.c`` built by gcc, one folder a machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kms.adapters.backends.sdf import SdfBackend
from kms.models.backends import BackendOptions
from secops.crypto import sm2

SOURCE = Path(__file__).parent / "sdf_mock" / "sdf_mock.c"
PASSWORD = "canary-access-52077461"
CHECK, KEK, INDICES = 1, 1, (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: pairs at indices 1 to 4, a key-encrypting key at 1, a password."""

    folder: Path

    @property
    def library(self) -> Path:
        return self.folder / "libsdf.so"

    def options(self, name: str = "machine", **options: object) -> BackendOptions:
        chosen = {
            "library": self.library,
            "secret": PASSWORD,
            "indices": INDICES,
            "check_index": CHECK,
            "kek_index": KEK,
            "time_limit": 20.0,
        }
        return BackendOptions(name, "sdf", **(chosen | options))

    def backend(self, name: str = "machine", **options: object) -> SdfBackend:
        return SdfBackend(self.options(name, **options))

    def break_down(self, fault: str) -> None:
        """Let it be busy, gone, wrong (signatures), hash (digests), or hang MILLISECONDS."""
        draft = self.folder / "fault.new"
        draft.write_text(fault)
        draft.rename(self.folder / "fault")

    def repair(self) -> None:
        (self.folder / "fault").unlink(missing_ok=True)

    def make_pair(self, index: int) -> None:
        """Make a new pair at ``index``, as its operator would with the machine's own tool."""
        (self.folder / f"{index}.key").write_bytes(sm2.PrivateKey.generate().der)


MakeMachine = Callable[..., Machine]


@pytest.fixture(scope="session")
def sdf_libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The library with coordinates of 64 bytes, as the standard says, and of 32."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc (Debian: gcc, libc6-dev)")
    folder = tmp_path_factory.mktemp("sdf")
    found = {}
    for width in (64, 32):
        found[width] = folder / f"libsdf{width}.so"
        command: Sequence[str | Path] = (
            *(compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"),
            *(f"-DECC_BYTES={width}", "-o", found[width], SOURCE),
            *("-l:libcrypto.so.3", "-ldl"),
        )
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    return found


def make_machine_in(folder: Path, library: Path, *, twin: Machine | None = None) -> Machine:
    """Make a machine in ``folder``; ``twin`` gives it the same keys."""
    if twin is not None:
        shutil.copytree(twin.folder, folder)
        return Machine(folder)
    folder.mkdir()
    shutil.copy(library, folder / "libsdf.so")
    machine = Machine(folder)
    for index in (CHECK, *INDICES):
        machine.make_pair(index)
    (folder / f"{KEK}.kek").write_bytes(bytes(range(16)))
    (folder / "password").write_text(PASSWORD)
    return machine


@pytest.fixture
def make_machine(sdf_libraries: dict[int, Path], tmp_path: Path) -> MakeMachine:
    """Make machines in the test's folder."""

    def make(name: str = "machine", *, width: int = 64, twin: Machine | None = None) -> Machine:
        return make_machine_in(tmp_path / name, sdf_libraries[width], twin=twin)

    return make
