"""All collectors over one bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from audits.core.collectors import (
    accounts,
    administration,
    firewall,
    network,
    nginx,
    pam,
    postgresql,
    records,
    sessions,
    software,
    ssh,
)
from audits.core.collectors.reading import Looker
from audits.models.collectors import Bundle, Reading

COLLECTORS: Final[Mapping[str, Callable[[Looker], None]]] = {
    software.SYSTEM: software.look_at_system,
    ssh.KIND: ssh.look_at_ssh,
    pam.KIND: pam.look_at_pam,
    sessions.KIND: sessions.look_at_sessions,
    accounts.PASSWORDS: accounts.look_at_passwords,
    accounts.ACCOUNTS: accounts.look_at_accounts,
    records.AUDIT: records.look_at_audit,
    records.LOGGING: records.look_at_logging,
    records.TIME: records.look_at_time,
    firewall.KIND: firewall.look_at_firewall,
    administration.KIND: administration.look_at_administration,
    network.LISTENERS: network.look_at_listeners,
    network.KERNEL: network.look_at_kernel,
    software.PACKAGES: software.look_at_packages,
    software.ANTIVIRUS: software.look_at_antivirus,
    nginx.KIND: nginx.look_at_nginx,
    postgresql.SETTINGS: postgresql.look_at_settings,
    postgresql.ACCESS: postgresql.look_at_access,
    postgresql.ROLES: postgresql.look_at_roles,
}
"""What looks for each kind of facts; the kind's beginning is the family of assets it tells of."""


def read_facts(bundle: Bundle, family: str) -> tuple[Reading, ...]:
    """Return what the collectors of ``family`` (host, nginx, pg) found in ``bundle``."""
    found = []
    for kind, look in COLLECTORS.items():
        if kind.partition(".")[0] == family:
            looker = Looker(bundle)
            look(looker)
            found.append(looker.reading(kind))
    return tuple(found)
