from __future__ import annotations

from pathlib import Path

import pytest

from secops.settings import Settings, SettingsRejected, read_settings


def test_a_fresh_home_listens_on_both_loopbacks_in_plain_http(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})
    assert settings.addresses == ("127.0.0.1", "::1")
    assert settings.origin == "http://localhost:8080"
    assert settings.database == f"sqlite:///{tmp_path / 'secops.db'}"
    assert (settings.retention_days, settings.crypto_profile) == (200, "intl")


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('listen = "localhost:9000"\nworkers = 2\n')
    settings = read_settings(tmp_path, {"SECOPS_WORKERS": "3", "SECOPS_HOME": "/x", "PATH": "/bin"})
    assert (settings.port, settings.workers) == (9000, 3)


def test_a_secret_comes_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    settings = read_settings(tmp_path, {"SECOPS_UNLOCK_PASSPHRASE_FILE": str(secret)})
    assert settings.unlock_passphrase == "correct horse"
    assert "correct horse" not in repr(settings)
    with pytest.raises(SettingsRejected):
        read_settings(tmp_path, {"SECOPS_UNLOCK_PASSPHRASE_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize(
    "given",
    [
        {"SECOPS_NONSENSE": "1"},
        {"SECOPS_WORKERS": "many"},
        {"SECOPS_WORKERS": "0"},
        {"SECOPS_THREADS": "257"},
        {"SECOPS_RETENTION_DAYS": "0"},
        {"SECOPS_LISTEN": "localhost"},
        {"SECOPS_LISTEN": "localhost:70000"},
        {"SECOPS_LISTEN": "0.0.0.0:8080"},
        {"SECOPS_LISTEN": "gateway.example:8080"},
        {"SECOPS_TLS_CERT": "only.pem"},
        {"SECOPS_TRUSTED_PROXIES": "everybody"},
        {"SECOPS_PUBLIC_URL": "sso.example.gov.cn"},
        {"SECOPS_PUBLIC_URL": "https://sso.example.gov.cn/path"},
        {"SECOPS_CRYPTO_PROFILE": "rot13"},
        {"SECOPS_TIMEZONE": "Mars/Olympus"},
        {"SECOPS_TIMEZONE": "../etc/passwd"},
        {"SECOPS_DEMO": "perhaps"},
        {"SECOPS_OPERATOR_KIND": "central"},
        {"SECOPS_UNIT_NAME": ""},
        {"SECOPS_UNIT_NAME": " 市数据局"},
        {"SECOPS_UNIT_NAME": "市\n数据局"},
        {"SECOPS_UNIT_NAME": "局" * 61},
    ],
)
def test_a_setting_without_meaning_is_named(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(SettingsRejected):
        read_settings(tmp_path, given)


@pytest.mark.parametrize("text", ["listen = 8080", "listen 1", 'home = "/elsewhere"'])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingsRejected):
        read_settings(tmp_path, {})


def test_other_addresses_need_tls_or_a_trusted_proxy(tmp_path: Path) -> None:
    tls = {"SECOPS_LISTEN": "[::]:443", "SECOPS_TLS_CERT": "c.pem", "SECOPS_TLS_KEY": "k.pem"}
    settings = read_settings(tmp_path, tls)
    assert (settings.addresses, settings.tls, settings.origin) == (
        ("::",),
        True,
        "https://[::]:443",
    )
    proxied = {
        "SECOPS_LISTEN": "10.0.0.5:8080",
        "SECOPS_TRUSTED_PROXIES": "10.0.0.0/24, 10.1.0.1",
        "SECOPS_PUBLIC_URL": "https://sso.example.gov.cn/",
    }
    settings = read_settings(tmp_path, proxied)
    assert (len(settings.proxies), settings.origin) == (2, "https://sso.example.gov.cn")


def test_booleans_are_read_from_words(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {"SECOPS_DEMO": "yes"}).demo
    assert not Settings(home=tmp_path).demo
    assert not read_settings(tmp_path, {"SECOPS_DEMO": "no"}).demo
