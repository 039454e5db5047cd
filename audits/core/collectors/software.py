"""Systems, packages, protection against malware. Source: os-release(5), dpkg-query(1), rpm(8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from audits.core.collectors.reading import Looker, day_of, listed, number

SYSTEM: Final = "host.system"
PACKAGES: Final = "host.packages"
ANTIVIRUS: Final = "host.antivirus"
_OLD_RELEASE: Final = re.compile(
    r"^([A-Za-z][A-Za-z ]{1,40}?) (?:Linux )?(?:Server )?release ([0-9.]{1,12})"
)
_UPDATE: Final = re.compile(r"^Inst \S+ .*\(")
_BASE: Final = re.compile(r"ClamAV-VDB:([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4})")
_DAY: Final = 86_400
_END_OF_LIFE: Final[Mapping[str, Mapping[str, date]]] = {
    "debian": {
        "9": date(2022, 6, 30),
        "10": date(2024, 6, 30),
        "11": date(2026, 8, 31),
        "12": date(2028, 6, 30),
    },
    "ubuntu": {
        "16.04": date(2021, 4, 30),
        "18.04": date(2023, 5, 31),
        "20.04": date(2025, 5, 31),
        "22.04": date(2027, 4, 30),
        "24.04": date(2029, 4, 30),
    },
    "centos": {
        "5": date(2017, 3, 31),
        "6": date(2020, 11, 30),
        "7": date(2024, 6, 30),
        "8": date(2021, 12, 31),
    },
    "rhel": {
        "6": date(2020, 11, 30),
        "7": date(2024, 6, 30),
        "8": date(2029, 5, 31),
        "9": date(2032, 5, 31),
    },
}
"""When free security updates of a release end, as its makers announced (to be renewed here).

Releases that are not here, such as Kylin and openEuler, whose dates depend on a contract, are
left to a person.
"""
_UNNEEDED: Final = frozenset(
    (
        "telnet-server",
        "telnetd",
        "inetutils-telnetd",
        "rsh-server",
        "rsh-redone-server",
        "tftp-server",
        "tftpd-hpa",
        "atftpd",
        "vsftpd",
        "proftpd",
        "ypserv",
        "nis",
        "talk-server",
        "talkd",
        "xinetd",
        "openbsd-inetd",
        "avahi-daemon",
        "cups",
        "rpcbind",
        "nfs-kernel-server",
        "samba",
    )
)
"""Services that a server seldom needs (policy): a person says where one is needed."""
_PRODUCTS: Final = {
    "clamd": "ClamAV",
    "freshclam": "ClamAV",
    "kesl": "Kaspersky Endpoint Security",
    "ds_agent": "Trend Micro Deep Security",
    "falcon-sensor": "CrowdStrike Falcon",
    "wdavdaemon": "Microsoft Defender",
    "AliYunDun": "阿里云安骑士",
    "YDService": "腾讯云主机安全",
    "hostguard": "华为云主机安全",
    "edr_agent": "深信服 EDR",
}


def look_at_system(look: Looker) -> None:
    """Note which system it is, and whether its makers still mend it."""
    lines = look.lines("os.release")
    look.note("kernel", look.bundle.meta.get("kernel"))
    look.note("container", look.bundle.meta.get("container") == "yes")
    look.note("as_root", look.bundle.meta.get("uid") == "0")
    if lines is None:
        return
    name, version = _release(lines)
    if not name:
        look.lack("os.release: no name and version of a system")
        return
    look.note("name", name)
    look.note("version", version)
    dates = _END_OF_LIFE.get(name, {})
    ends = dates.get(version) or dates.get(version.partition(".")[0])
    if ends is None:
        look.lack(f"os.release: when updates of {name} {version} end is not known here")
        return
    look.note("supported_until", ends.isoformat())
    look.note("supported", _date(look.day) <= ends)


def _date(day: int) -> date:
    """Return the date of a day since 1970; the last there is for one that no calendar has."""
    try:
        return datetime.fromtimestamp(day * _DAY, UTC).date()
    except (ValueError, OverflowError, OSError):
        return date.max


def _release(lines: Sequence[str]) -> tuple[str, str]:
    """Return id and version, of os-release or of the one line of an older system."""
    said: dict[str, str] = {}
    old = ("", "")
    for line in lines:
        path, _, text = line.partition("\t")
        name, equals, value = text.partition("=")
        if path == "/etc/os-release" and equals:
            said[name] = value.strip().strip("\"'")
        elif (found := _OLD_RELEASE.match(text)) is not None and not old[0]:
            old = (_short(found[1]), found[2])
    if said.get("ID"):
        return said["ID"].lower(), said.get("VERSION_ID", "")
    return old


def _short(name: str) -> str:
    known = {"red hat enterprise": "rhel", "centos": "centos", "kylin": "kylin"}
    return next(
        (short for long, short in known.items() if name.lower().startswith(long)), name.lower()
    )


def look_at_packages(look: Looker) -> None:
    """Note what is installed and how fresh it is."""
    names = _installed(look)
    dates = _dates(look)
    if names is not None:
        unneeded = sorted(_UNNEEDED & names)
        look.note("installed", len(names))
        look.note("unneeded", len(unneeded))
        look.note("unneeded_names", listed(unneeded))
    for name in ("changed", "index"):
        if name in dates:
            look.note(f"{name}_age_days", max(0, look.bundle.finished - dates[name]) // _DAY)
    updates = look.lines("updates.apt", needed=False)
    if updates is None:
        look.lack("updates: which are pending can only be asked of apt without the network")
        return
    pending = [line for line in updates if _UPDATE.match(line)]
    look.note("updates", len(pending))
    look.note("security_updates", sum("security" in line.lower() for line in pending))


def _installed(look: Looker) -> frozenset[str] | None:
    for name in ("packages.dpkg", "packages.rpm"):
        lines = look.lines(name, needed=False)
        if lines is None:
            continue
        rows = [words for line in lines if len(words := line.split("\t")) == 4]  # noqa: PLR2004 - the script's fields
        if rows:
            look.note("manager", name.partition(".")[2])
            whole = [row for row in rows if name.endswith("rpm") or row[3].startswith("ii")]
            return frozenset(row[0] for row in whole)
        look.lack(f"{name}: no line of it can be read")
        return None
    look.lack("packages: neither dpkg nor rpm answered")
    return None


def _dates(look: Looker) -> dict[str, int]:
    found = {}
    for line in look.lines("packages.dates", needed=False) or []:
        name, _, value = line.partition(" ")
        if (at := number(value)) is not None:
            found[name] = at
    rows = look.lines("packages.rpm", needed=False) or []
    times = [at for line in rows if (at := number(line.rpartition("\t")[2])) is not None]
    if times:
        found["changed"] = max(times)
    return found


def look_at_antivirus(look: Looker) -> None:
    """Note whether a known product runs, and how old its base is where that can be read."""
    processes = look.lines("processes")
    if processes is None:
        return
    running = {line.strip() for line in processes}
    products = sorted({title for name, title in _PRODUCTS.items() if name in running})
    look.note("running", bool(products))
    look.note("products", listed(products))
    days = [day for lines in look.files("av.clamav").values() if (day := _base_day(lines))]
    if days:
        look.note("base_age_days", max(0, look.day - max(days)))
    elif products:
        look.lack("antivirus: the age of this product's base can't be read")


def _base_day(lines: Sequence[str]) -> int | None:
    found = _BASE.search(lines[0]) if lines else None
    return None if found is None else day_of(found[3], found[2], found[1])
