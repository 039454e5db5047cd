"""One frozen ``Settings``, read once: ``home/settings.toml``, overridden by ``SECOPS_*``.

Nobody else reads the environment. Planes and adapters get small option dataclasses.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid

CryptoProfile = Literal["intl", "gm"]
PadesLevel = Literal["b-b", "b-t", "b-lt", "b-lta"]
SealTimeStamps = Literal["none", "signatures", "all"]

DEFAULT_PORT: Final = 8080
LOOPBACK: Final = ("127.0.0.1", "::1")
FILE: Final = "settings.toml"
DATABASE_FILE: Final = "secops.db"
_PREFIX: Final = "SECOPS_"
_MAX_SECRET: Final = 4_096


class SettingsRejected(Invalid):
    """A setting has no meaning."""

    code = "settings.rejected"
    title = Text("配置项不正确", "A setting is not valid")
    remedy = Text(
        "请更正 home/settings.toml 或对应的 SECOPS_* 环境变量。",
        "Correct home/settings.toml or the SECOPS_* variable.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. ``docs/manual/settings.md`` describes each field (tested)."""

    home: Path
    database_url: str = ""
    logstore_url: str = field(default="segments:", repr=False)
    logstore_api_key: str = field(default="", repr=False)
    logstore_ca: str = ""
    listen: str = f"localhost:{DEFAULT_PORT}"
    public_url: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    trusted_proxies: str = ""
    workers: int = 1
    threads: int = 32
    client_rate: int = 1_000
    address_rate: int = 2_000
    retention_days: int = 200
    crypto_profile: CryptoProfile = "intl"
    seal_time_stamps: SealTimeStamps = "signatures"
    time_stamp_url: str = ""
    time_stamp_sm3_url: str = ""
    time_stamp_allow: str = ""
    pades_level: PadesLevel = "b-t"
    unlock_file: str = ""
    unlock_passphrase: str = field(default="", repr=False)
    handover_key: str = field(default="", repr=False)
    key_backends: str = ""
    unlock_token: str = ""
    pkcs11_library: str = ""
    pkcs11_token: str = ""
    pkcs11_pin: str = field(default="", repr=False)
    sdf_library: str = ""
    sdf_password: str = field(default="", repr=False)
    sdf_indices: str = ""
    sdf_check_index: int = 0
    sdf_kek_index: int = 0
    emergency_path: str = ""
    audit_device_path: str = ""
    ledger_witnesses: str = ""
    ledger_witness_allow: str = ""
    ledger_witness_quorum: int = 1
    password_profile: str = "mlps"  # noqa: S105 - the name of a profile
    password_words: str = ""
    breached_passwords: str = ""
    real_name_schemes: str = ""
    passkey_roots: str = ""
    passkey_models: str = ""
    passkey_attested: bool = False
    certificate_trust: str = "trust"
    certificate_ocsp: str = ""
    certificate_ocsp_or_list: bool = False
    terminator_key: str = field(default="", repr=False)
    webhook_url: str = field(default="", repr=False)
    webhook_kind: str = "generic"
    webhook_secret: str = field(default="", repr=False)
    webhook_allow: str = ""
    response_protected: str = ""
    playbook_signers: str = ""
    unsigned_playbooks: str = "refused"
    upstream_allow: str = ""
    upstream_ca: str = ""
    province_seal_url: str = ""
    province_seal_token: str = field(default="", repr=False)
    province_seal_ca: str = ""
    province_seal_certificate: str = ""
    province_seal_allow: str = ""
    sms_gateway_url: str = field(default="", repr=False)
    sms_gateway_secret: str = field(default="", repr=False)
    sms_gateway_allow: str = ""
    message_prefixes: str = "+86"
    mail_server: str = ""
    mail_encryption: str = "starttls"
    mail_sender: str = ""
    mail_user: str = ""
    mail_password: str = field(default="", repr=False)
    mail_ca: str = ""
    reset_delay_hours: int = 24
    syslog_udp: str = ""
    syslog_tcp: str = ""
    syslog_tls: str = ""
    syslog_tls_cert: str = ""
    syslog_tls_key: str = ""
    syslog_client_ca: str = ""
    syslog_max_message: int = 65_536
    syslog_max_connections: int = 512
    syslog_idle_seconds: int = 600
    timezone: str = "Asia/Shanghai"
    unit_name: str = "本单位"
    operator_kind: str = "local"
    demo: bool = False

    @property
    def host(self) -> str:
        """The host part of ``listen``."""
        return self.listen.rpartition(":")[0].strip("[]") or "localhost"

    @property
    def port(self) -> int:
        """The port part of ``listen``."""
        return int(self.listen.rpartition(":")[2])

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses to listen on: both loopbacks for ``localhost``."""
        return LOOPBACK if self.host == "localhost" else (self.host,)

    @property
    def tls(self) -> bool:
        """Tell whether the service itself terminates TLS."""
        return bool(self.tls_cert)

    @property
    def origin(self) -> str:
        """The origin users see: ``public_url``, or the local one."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"

    @property
    def proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks whose forwarding headers count."""
        return tuple(ipaddress.ip_network(network) for network in listed(self.trusted_proxies))

    @property
    def database(self) -> str:
        """The database's URL: SQLite in the home unless set."""
        return self.database_url or f"sqlite:///{self.home / DATABASE_FILE}"


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a setting that lists several, separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def default_home() -> Path:
    """Return ``$SECOPS_HOME``, else ``~/.local/share/secops``."""
    chosen = os.environ.get("SECOPS_HOME")
    return Path(chosen) if chosen else Path.home() / ".local" / "share" / "secops"


def access_token() -> str:
    """Return ``$SECOPS_TOKEN``, the access token a command acts with, or ""."""
    return os.environ.get("SECOPS_TOKEN", "")


def read_settings(home: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of ``home``; raise ``SettingsRejected`` naming the bad one.

    ``SECOPS_X_FILE`` names a file that holds the value of ``x`` (for secrets).
    """
    given: dict[str, Any] = {}
    file = home / FILE
    if file.is_file():
        given |= _read_file(file)
    given |= _read_environment(os.environ if environment is None else environment)
    known = {entry.name: entry for entry in fields(Settings)}
    for name in given:
        if name not in known or name == "home":
            raise SettingsRejected(f"there is no setting {name!r}")
    values = {name: _typed(name, value, known[name].type) for name, value in given.items()}
    settings = Settings(home=home.resolve(), **values)
    _check(settings)
    return settings


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsRejected(f"{file}: {error}") from error


_ELSEWHERE: Final = frozenset({"home", "token", "corpus", "require_corpus", "deep"})


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    known = {entry.name for entry in fields(Settings)}
    given: dict[str, Any] = {}
    for key, value in environment.items():
        name = key.removeprefix(_PREFIX).lower()
        if not key.startswith(_PREFIX) or name in _ELSEWHERE:
            continue
        if name.endswith("_file") and name not in known:
            name = name.removesuffix("_file")
            value = _secret(Path(value))  # noqa: PLW2901 - the file's content is the value
        given[name] = value
    return given


def _secret(file: Path) -> str:
    try:
        with file.open() as handle:
            return handle.read(_MAX_SECRET).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRejected(f"the secret file {file} can't be read") from error


def _typed(name: str, value: Any, kind: Any) -> Any:
    if kind == "int":
        try:
            return int(value)
        except (TypeError, ValueError):
            raise SettingsRejected(f"{name} is a whole number, not {value!r}") from None
    if kind == "bool":
        if value in (True, "1", "true", "yes"):
            return True
        if value in (False, "0", "false", "no", ""):
            return False
        raise SettingsRejected(f"{name} is true or false, not {value!r}")
    if not isinstance(value, str):
        raise SettingsRejected(f"{name} is a text")
    return value


_NUMBERS: Final = (
    ("workers", 1, 64),
    ("threads", 1, 256),
    ("client_rate", 1, 10_000_000),
    ("address_rate", 1, 10_000_000),
    ("retention_days", 1, 9_999),
    ("ledger_witness_quorum", 1, 32),
    ("reset_delay_hours", 1, 336),
    ("sdf_check_index", 0, 65_535),
    ("sdf_kek_index", 0, 65_535),
    ("syslog_max_message", 1_024, 1 << 20),
    ("syslog_max_connections", 1, 10_000),
    ("syslog_idle_seconds", 10, 86_400),
)

_WORDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("password_profile", ("mlps", "nist")),
    ("seal_time_stamps", get_args(SealTimeStamps)),
    ("pades_level", get_args(PadesLevel)),
    ("crypto_profile", get_args(CryptoProfile)),
    ("unsigned_playbooks", ("refused", "with_approval")),
    ("operator_kind", ("critical", "state", "local")),
)
_UNIT_NAME: Final = re.compile(r"\S(.{0,58}\S)?")
"""As long as the red head of a notice is set on one line or two."""


def _check(settings: Settings) -> None:
    _check_listen(settings)
    _check_encryption(settings)
    if settings.handover_key and not re.fullmatch("[0-9a-f]{64}", settings.handover_key):
        raise SettingsRejected("handover_key is 32 bytes in hex")
    if settings.terminator_key and not re.fullmatch("[0-9a-f]{64}", settings.terminator_key):
        raise SettingsRejected("terminator_key is 32 bytes in hex")
    for name, words in _WORDS:
        if getattr(settings, name) not in words:
            raise SettingsRejected(f"{name} is {', '.join(words[:-1])} or {words[-1]}")
    for name, least, most in _NUMBERS:
        if not least <= cast("int", getattr(settings, name)) <= most:
            raise SettingsRejected(f"{name} is from {least} to {most}")
    if not _UNIT_NAME.fullmatch(settings.unit_name) or not settings.unit_name.isprintable():
        raise SettingsRejected("unit_name has 1 to 60 printable characters, no blank at its ends")
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsRejected(f"timezone {settings.timezone!r} is unknown") from error


def _check_listen(settings: Settings) -> None:
    port = settings.listen.rpartition(":")[2]
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:  # noqa: PLR2004
        raise SettingsRejected("listen is HOST:PORT")
    try:
        _ = settings.proxies
    except ValueError as error:
        raise SettingsRejected(f"trusted_proxies: {error}") from error
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            raise SettingsRejected("public_url is an origin like https://sso.example.gov.cn")


def is_loopback(address: str) -> bool:
    """Tell whether ``address`` is this machine's own; a name is not."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _check_encryption(settings: Settings) -> None:
    """Refuse plain HTTP on anything but loopback."""
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingsRejected("tls_cert and tls_key come together")
    if settings.tls_client_ca and not settings.tls_cert:
        raise SettingsRejected("tls_client_ca asks for certificates in TLS: it needs tls_cert")
    if settings.tls or settings.trusted_proxies:
        return
    for address in settings.addresses:
        if not is_loopback(address):
            raise SettingsRejected(
                f"{address} is not loopback: set tls_cert and tls_key, or trusted_proxies"
            )


def prefers_english() -> bool:
    """Tell whether the terminal's locale asks for English; Chinese is the default."""
    chosen = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return chosen is not None and chosen.lower().startswith("en")


def environment_names() -> list[str]:
    """Return the names of the environment's variables."""
    return list(os.environ)


def bare_environment() -> dict[str, str]:
    """Return the environment without our own variables, for a child with a home of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}


def corpus_folder() -> Path | None:
    """Return the folder of real files for benches, if it is there: ``$SECOPS_CORPUS``."""
    chosen = os.environ.get("SECOPS_CORPUS")
    folder = (Path(chosen) if chosen else Path("..") / "shared") / "data"
    return folder if folder.is_dir() else None


def export_for_children(home: Path, *, listen: str, workers: int) -> None:
    """Let child processes read the same home and the options of ``serve``.

    They also share a key of this start, by which one unlock reaches all of them.
    """
    os.environ["SECOPS_HOME"] = str(home)
    os.environ["SECOPS_LISTEN"] = listen
    os.environ["SECOPS_WORKERS"] = str(workers)
    os.environ["SECOPS_HANDOVER_KEY"] = secrets.token_hex(32)
