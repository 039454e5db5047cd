"""Keys in crypto machines, from settings to HTTP, command line and doctor.

Nothing is faked but the machines, and those sign by libcrypto.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from secops.app import open_house
from secops.bridges.processes import all_routes, build_gateway
from secops.cli import cli
from secops.crypto import signatures
from secops.crypto.options import DEFAULT
from tests.fakes.demo_site import Answer, DemoSite, make_demo_home, read_logins
from tests.services.sdf_machines import PASSWORD, Machine, make_machine_in, sdf_libraries

__all__ = ["sdf_libraries"]

MESSAGE = b"a notice of the county"
SETTINGS = """
[[backend]]
name = "east"
kind = "sdf"
centre = "east"
group = "machines"
preference = 1
library = "east/libsdf.so"
secret_file = "password"
indices = "2-4"
check_index = 1
kek_index = 1
time_limit = 20

[[backend]]
name = "west"
kind = "sdf"
centre = "west"
group = "machines"
preference = 2
library = "west/libsdf.so"
secret_file = "password"
indices = "2-4"
check_index = 1
kek_index = 1
time_limit = 20

[[placement]]
types = ["sm2"]
groups = ["machines"]
"""


@dataclass
class Devices:
    site: DemoSite
    home: Path
    east: Machine
    west: Machine

    def ask(self, who: str, method: str, path: str, **fields: object) -> Answer:
        body = orjson.dumps(fields) if method == "POST" else b""
        return self.site.call(method, path, token=self.site.token(who), body=body)

    def sign(self) -> Answer:
        encoded = base64.b64encode(MESSAGE).decode()
        return self.ask("integrator", "POST", "/v1/transit/sign/notices", input=encoded)

    def command(self, who: str, *words: str) -> None:
        cli.main(["--home", str(self.home), "--as", who, *words], standalone_mode=False)


@pytest.fixture(scope="module")
def devices(
    tmp_path_factory: pytest.TempPathFactory, sdf_libraries: dict[int, Path]
) -> Iterator[Devices]:
    folder = tmp_path_factory.mktemp("devices")
    east = make_machine_in(folder / "east", sdf_libraries[64])
    west = make_machine_in(folder / "west", sdf_libraries[64], twin=east)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    (folder / "backends.toml").write_text(SETTINGS)
    home = folder / "home"
    make_demo_home(home)
    with (home / "settings.toml").open("a") as settings:
        settings.write(f'key_backends = "{folder}/backends.toml"\nunlock_token = "west"\n')
    house = open_house(home, "gateway")
    site = DemoSite(house, all_routes(house), build_gateway(house), read_logins(home))
    made = Devices(site, home, east, west)
    answer = made.ask("security-admin", "POST", "/v1/transit/keys/notices", type="sm2")
    assert answer.status == 200, answer.body
    made.command("security-admin", "kms", "grant-key", "notices", "integrator")
    yield made
    house.close()


def test_a_key_goes_where_the_rules_say_and_signs_there_over_http(devices: Devices) -> None:
    answer = devices.sign()
    assert answer.status == 200, answer.body
    _, _, payload = answer.json()["data"]["signature"].split(":")
    seen = devices.ask("auditor", "GET", "/v1/transit/keys/notices").json()["data"]
    pem = seen["keys"]["1"]["public_key"].splitlines()[1:-1]
    key = signatures.public_key("sm2", base64.b64decode("".join(pem)))
    key.verify(base64.b64decode(payload), MESSAGE, DEFAULT)
    custody = devices.ask("auditor", "GET", "/api/v1/kms/custody?backend=west").json()["items"]
    assert [(each["name"], each["places"], each["in_device"]) for each in custody] == [
        ("notices", ["machines"], True)
    ]


def test_one_machine_away_is_not_noticed_and_both_away_is_503(devices: Devices) -> None:
    devices.east.break_down("gone")
    try:
        assert devices.sign().status == 200
        found = devices.ask("auditor", "GET", "/api/v1/kms/backends").json()["items"]
        assert [(each["name"], each["healthy"], each["failure"]) for each in found] == [
            ("east", False, "kms.backend_fault"),
            ("west", True, None),
        ]
        devices.west.break_down("gone")
        refused = devices.sign()
        assert refused.status == 503
        assert list(refused.json()) == ["errors"]
    finally:
        devices.east.repair()
        devices.west.repair()
    for name in ("east", "west"):
        path = f"/api/v1/kms/backends/{name}/check"
        assert devices.ask("security-admin", "POST", path).json()["healthy"] is True
    assert devices.sign().status == 200


def test_draining_is_the_security_administrators(devices: Devices) -> None:
    path = "/api/v1/kms/backends/east/drain"
    assert devices.ask("auditor", "POST", path).status == 403
    assert devices.ask("security-admin", "POST", path).status == 204
    refused = devices.ask("security-admin", "POST", "/v1/transit/keys/others", type="sm2")
    assert refused.status == 409
    assert devices.sign().status == 200
    back = "/api/v1/kms/backends/east/resume"
    assert devices.ask("security-admin", "POST", back).status == 204
    unknown = devices.ask("security-admin", "POST", "/api/v1/kms/backends/none/drain")
    assert unknown.json()["code"] == "kms.backend_not_found"


def test_the_command_line_shows_checks_and_signs(
    devices: Devices, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    devices.command("auditor", "kms", "list-backends", "--json")
    found = json.loads(capfdbinary.readouterr().out)
    assert [(each["name"], each["group"], each["keys"]) for each in found["items"]] == [
        ("east", "machines", {"sm2": 1}),
        ("west", "machines", {"sm2": 1}),
    ]
    devices.command("auditor", "kms", "list-custody", "--backend", "east", "--json")
    assert [each["name"] for each in json.loads(capfdbinary.readouterr().out)["items"]] == [
        "notices"
    ]
    file, made = tmp_path / "notice", tmp_path / "notice.sig"
    file.write_bytes(MESSAGE)
    devices.command("integrator", "kms", "sign", "notices", str(file), "-o", str(made))
    devices.command("integrator", "kms", "verify", "notices", str(file), str(made))
    assert b"good, by version 1" in capfdbinary.readouterr().out


def test_a_machine_opens_the_pool_of_a_home_without_its_passphrase(devices: Devices) -> None:
    kept = devices.home / "unlock.key"
    devices.command(*("security-admin", "kms", "bind-unlock-token", "--passphrase-file", str(kept)))
    away = kept.rename(devices.home.parent / "unlock.key")
    settings = devices.home / "settings.toml"
    before = settings.read_text()
    lines = [line for line in before.splitlines() if "unlock_file" not in line]
    settings.write_text("\n".join([*lines, ""]))
    try:
        house = open_house(devices.home)
        try:
            assert house.kms.pool.status().state == "unlocked"
        finally:
            house.close()
        devices.west.break_down("gone")
        house = open_house(devices.home)
        try:
            assert house.kms.pool.status().state == "locked"
        finally:
            house.close()
    finally:
        devices.west.repair()
        away.rename(kept)
        settings.write_text(before)


def test_doctor_has_each_machine_sign(
    devices: Devices, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    devices.east.break_down("wrong")
    try:
        words = ["--home", str(devices.home), "doctor", "--json"]
        cli.main(words, standalone_mode=False)
    finally:
        devices.east.repair()
    found = json.loads(capfdbinary.readouterr().out)
    rows = found["findings"] if isinstance(found, dict) else found
    states = {row["name"]: row["state"] for row in rows if row["name"].startswith("key backend")}
    assert states == {"key backend east": "fault", "key backend west": "ok"}
