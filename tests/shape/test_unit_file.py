"""The systemd unit: it starts our command, and takes away what the service never needs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from secops.cli import cli

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "secops.service"
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "UMask": "0077",
    "LimitCORE": "0",
    "User": "secops",
}


def entries() -> Sequence[tuple[str, str, str]]:
    """(section, key, value) of each line; systemd's format, where keys may be repeated."""
    section, found = "", []
    for line in UNIT.read_text().splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text.strip("[]")
        elif text and not text.startswith(("#", ";")):
            key, separator, value = text.partition("=")
            assert separator, line
            found.append((section, key, value))
    return found


def values(section: str, key: str) -> list[str]:
    return [value for where, name, value in entries() if (where, name) == (section, key)]


def test_the_unit_has_its_three_sections() -> None:
    assert list(dict.fromkeys(section for section, _, _ in entries())) == [
        "Unit",
        "Service",
        "Install",
    ]


@pytest.mark.parametrize(("key", "wanted"), HARDENED.items())
def test_the_service_is_confined(key: str, wanted: str) -> None:
    assert values("Service", key) == [wanted]


def test_only_the_home_can_be_written() -> None:
    (environment,) = [v for v in values("Service", "Environment") if v.startswith("SECOPS_HOME=")]
    assert values("Service", "ReadWritePaths") == [environment.removeprefix("SECOPS_HOME=")]


def test_system_calls_and_address_families_are_lists() -> None:
    assert values("Service", "SystemCallFilter")[0] == "@system-service"
    assert values("Service", "SystemCallFilter")[1].startswith("~@privileged")
    assert values("Service", "RestrictAddressFamilies") == ["AF_INET AF_INET6 AF_UNIX"]


def test_no_secret_stands_in_the_unit() -> None:
    environment = values("Service", "Environment")
    assert [value for value in environment if "PASSPHRASE=" in value or "PASSWORD" in value] == []


def test_it_starts_a_command_that_exists() -> None:
    (command,) = values("Service", "ExecStart")
    program, *words = command.split()
    assert program.endswith("/bin/secops")
    assert CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0


def test_stopping_waits_longer_than_the_requests_in_flight() -> None:
    (seconds,) = values("Service", "TimeoutStopSec")
    assert int(seconds) > 30


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_itself_finds_nothing_to_say(tmp_path: Path) -> None:
    text = UNIT.read_text().replace("/opt/govsecops/.venv/bin/secops", "/bin/true")
    file = tmp_path / "secops.service"
    file.write_text(text.replace("/opt/govsecops", "/").replace("User=secops", "User=root"))
    ran = subprocess.run(
        ["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False
    )
    assert "secops.service" not in ran.stderr
