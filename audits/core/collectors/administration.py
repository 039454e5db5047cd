"""From where administrators may come: the SSH server and the packet filter together."""

from __future__ import annotations

from typing import Final

from audits.core.collectors.firewall import read_packet_filter
from audits.core.collectors.reading import Looker, number
from audits.core.collectors.ssh import look_at_ssh

KIND: Final = "host.administration"


def look_at_administration(look: Looker) -> None:
    """Note whether anybody may knock at SSH: neither rules nor AllowUsers name addresses."""
    ssh = Looker(look.bundle)
    look_at_ssh(ssh)
    look.used |= ssh.used
    restricted = ssh.facts.get("addresses_restricted")
    found = read_packet_filter(look)
    if restricted is True:
        look.note("open_to_all", value=False)
        return
    ports = [number(port) or 22 for port in str(ssh.facts.get("ports", "22")).split(", ")]
    if found is not None and restricted is not None:
        look.note("open_to_all", any(found.lets_in(port) for port in ports))
        return
    look.lack("administration: the rules of sshd and of the packet filter are both needed")
