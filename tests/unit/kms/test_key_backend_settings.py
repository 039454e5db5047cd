"""Settings of key backends: one device by PKCS11_* or SDF_*, any number by KEY_BACKENDS."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms.errors.backends import BackendMisconfigured
from kms.errors.keys import UnlockFileUnsafe
from kms.models.backends import BackendOptions, Placement
from secops.bridges.key_backends import backend_setup, examine_backends, kms_options
from secops.settings import Settings, SettingsRejected, read_settings
from tests.fakes.randomness import FakeRandomness

FILE = """
[[backend]]
name = "east"
kind = "sdf"
centre = "east"
group = "machines"
preference = 1
library = "lib/sdf.so"
secret_file = "east.password"
indices = "2-4,9"
check_index = 1
kek_index = 1
time_limit = 2.5
sessions = 8

[[backend]]
name = "soft"
kind = "software"

[[placement]]
types = ["sm2"]
orgs = ["org_1"]
groups = ["machines", "soft"]
centre = "east"
"""

_GROUPED = "[[backend]]\nname='a'\nkind='sdf'\ngroup='g'"


def configured(home: Path, text: str, **settings: object) -> Settings:
    (home / "backends.toml").write_text(text)
    return Settings(home=home, key_backends="backends.toml", **settings)


def test_without_settings_all_is_software(tmp_path: Path) -> None:
    setup = backend_setup(Settings(home=tmp_path))
    assert (setup.backends, setup.placements) == ((), ())


def test_one_device_of_a_kind_is_set_up_by_settings_alone(tmp_path: Path) -> None:
    environment = {
        "SECOPS_PKCS11_LIBRARY": "/usr/lib/p11.so",
        "SECOPS_PKCS11_TOKEN": "county",
        "SECOPS_PKCS11_PIN_FILE": str(tmp_path / "pin"),
        "SECOPS_SDF_LIBRARY": "/usr/lib/sdf.so",
        "SECOPS_SDF_INDICES": "2-3, 7",
        "SECOPS_SDF_CHECK_INDEX": "1",
    }
    (tmp_path / "pin").write_text("canary-pin\n")
    settings = read_settings(tmp_path, environment)
    token, machine = backend_setup(settings).backends
    assert (token.kind, token.token, token.secret) == ("pkcs11", "county", "canary-pin")
    assert (machine.kind, machine.indices, machine.check_index) == ("sdf", (2, 3, 7), 1)
    assert "canary" not in repr((settings, token, kms_options(settings)))


def test_a_file_sets_up_groups_centres_and_rules(tmp_path: Path) -> None:
    (tmp_path / "east.password").write_text("secret\n")
    (tmp_path / "east.password").chmod(0o600)
    setup = backend_setup(configured(tmp_path, FILE))
    assert setup.backends == (
        BackendOptions(
            name="east",
            kind="sdf",
            centre="east",
            group="machines",
            preference=1,
            library=tmp_path / "lib" / "sdf.so",
            secret="secret",
            indices=(2, 3, 4, 9),
            check_index=1,
            kek_index=1,
            time_limit=2.5,
            sessions=8,
        ),
        BackendOptions("soft", "software"),
    )
    assert setup.placements == (
        Placement(
            ("machines", "soft"), frozenset({"sm2"}), frozenset(), frozenset({"org_1"}), "east"
        ),
    )


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "east.password").write_text("secret\n")
    (tmp_path / "east.password").chmod(0o644)
    with pytest.raises(UnlockFileUnsafe):
        backend_setup(configured(tmp_path, FILE))


@pytest.mark.parametrize(
    "text",
    [
        "not toml [",
        "[[device]]\nname='a'",
        "backend = 'a'",
        "[[backend]]\nname='a'",
        "[[backend]]\nkind='sdf'",
        "[[backend]]\nname='a'\nkind='usb'",
        "[[backend]]\nname='a'\nkind='sdf'\npin='1234'",
        "[[backend]]\nname='a'\nkind='sdf'\nsecret='1234'",
        "[[backend]]\nname='a'\nkind='sdf'\nsessions=0",
        "[[backend]]\nname='a'\nkind='sdf'\nsessions='4'",
        "[[backend]]\nname='a'\nkind='sdf'\ntime_limit=0",
        "[[backend]]\nname='a'\nkind='sdf'\ntime_limit=61",
        "[[backend]]\nname='a'\nkind='sdf'\nindices='4-2'",
        "[[backend]]\nname='a'\nkind='sdf'\nindices='0'",
        "[[backend]]\nname='a'\nkind='sdf'\nindices='1-x'",
        "[[backend]]\nname='a'\nkind='sdf'\nindices='1-99999'",
        "[[backend]]\nname='software'\nkind='software'",
        "[[backend]]\nname='a'\nkind='sdf'\n[[backend]]\nname='a'\nkind='sdf'",
        f"{_GROUPED}\n[[backend]]\nname='b'\nkind='pkcs11'\ngroup='g'",
        f"{_GROUPED}\nindices='1'\n[[backend]]\nname='b'\nkind='sdf'\ngroup='g'\nindices='2'",
        "[[placement]]\ntypes=['sm2']",
        "[[placement]]\ngroups='a'",
        "[[placement]]\ngroups=['a']\nkey='b'",
    ],
)
def test_settings_without_a_meaning_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BackendMisconfigured):
        backend_setup(configured(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendMisconfigured) as caught:
        backend_setup(Settings(home=tmp_path, key_backends="absent.toml"))
    assert "absent.toml" in caught.value.detail
    with pytest.raises(SettingsRejected):
        read_settings(tmp_path, {"SECOPS_SDF_KEK_INDEX": "70000"})


def test_doctor_hears_what_is_wrong_with_each_device(tmp_path: Path) -> None:
    text = "[[backend]]\nname='a'\nkind='sdf'\nlibrary='absent.so'\n[[backend]]\nname='s'\n"
    settings = configured(tmp_path, text + "kind='software'")
    (found,) = examine_backends(settings, FakeRandomness())
    assert (found[0], found[1].partition(":")[0]) == ("a", "kms.backend_misconfigured")
