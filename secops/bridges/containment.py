"""Containment for playbooks: identity's locks, the key pool's holds, and what is protected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, Protocol
from urllib.parse import urlsplit

from iam.service.people.containment import ContainmentService
from kms.service.containment import KmsContainment
from playbooks.ports import Order, RestrainedKind
from secops.kernel.containment import Contained, ContainmentOrder
from secops.kernel.errors import Conflict
from secops.settings import Settings, SettingsRejected, listed

_INFRASTRUCTURE: Final = "an address of this installation"
_LISTED: Final = "listed in response_protected"
_KINDS: Final = ("account", "client", "address", "key", "seal")


class _Restraint(Protocol):
    """What iam and kms offer for one kind."""

    def look(self, org_id: str, name: str) -> Contained | None: ...

    def restrain(self, subject: str, order: ContainmentOrder) -> None: ...

    def give_back(self, subject: str, order: ContainmentOrder) -> None: ...

    def is_in_force(self, subject: str, key: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Shield:
    """What no playbook touches: ``names`` as ``kind:id``, ``networks`` of the installation."""

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def why(self, kind: str, *names: str) -> str:
        """Say why one of ``names`` of this kind is protected, or return ""."""
        kind = "account" if kind == "step-up" else kind
        if any(f"{kind}:{name}" in self.names for name in names):
            return _LISTED
        if kind == "address" and any(map(self._is_ours, names)):
            return _INFRASTRUCTURE
        return ""

    def _is_ours(self, name: str) -> bool:
        try:
            # a block of an IPv6 address is of its whole /64
            wanted = ip_network(name, strict=False)
        except ValueError:
            return True
        first = wanted.network_address
        if first.is_loopback or first.is_unspecified or first.is_multicast:
            return True
        return any(
            network.version == wanted.version and network.overlaps(wanted)
            for network in self.networks
        )


def shield(settings: Settings) -> Shield:
    """Return what the settings protect: where we listen, our proxies, and what is listed.

    Raises ``SettingsRejected`` for an entry of another kind.
    """
    names, networks = set(), list(settings.proxies)
    for entry in listed(settings.response_protected):
        kind, colon, name = entry.partition(":")
        if not colon or kind not in _KINDS or not name:
            raise SettingsRejected(f"response_protected: {entry!r} is not kind:id")
        if kind == "address":
            networks.append(_network(name))
        else:
            names.add(entry)
    for address in (*settings.addresses, urlsplit(settings.origin).hostname or ""):
        try:
            networks.append(ip_network(ip_address(address)))
        except ValueError:
            continue  # a name; whoever resolves it is not asked here
    return Shield(frozenset(names), tuple(networks))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise SettingsRejected(f"response_protected: {text!r} is no address") from error


class PlaneContainment:
    """Implements ``playbooks.ports.Containment``."""

    def __init__(self, iam: ContainmentService, kms: KmsContainment, shielded: Shield) -> None:
        self._iam = iam
        self._shield = shielded
        of_iam = iam.restraint
        self._restraints: Mapping[RestrainedKind, _Restraint] = {
            "account": of_iam("account"),
            "step-up": of_iam("step-up"),
            "client": of_iam("client"),
            "address": of_iam("address"),
            "key": kms.keys,
            "seal": kms.seals,
        }

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of its live sessions."""
        return self._iam.sessions_of(account_id)

    def revoke_sessions(self, account_id: str, order: Order) -> int:
        """End all its sessions and return how many there were."""
        return self._iam.revoke_sessions(account_id, _ordered(order).reason)

    def look(self, kind: RestrainedKind, org_id: str, name: str) -> Contained | None:
        """Return the subject as it is now, with why it is protected."""
        seen = self._restraints[kind].look(org_id, name)
        if seen is None:
            return None
        why = seen.protected or self._shield.why(kind, seen.id, seen.name, name)
        return replace(seen, protected=why)

    def restrain(self, kind: RestrainedKind, subject: str, order: Order) -> None:
        """Take it out of use; what became protected since the plan is refused here, too."""
        why = self._shield.why(kind, subject)
        if why:
            raise Conflict(f"{kind} {subject}: {why}")
        self._restraints[kind].restrain(subject, _ordered(order))

    def give_back(self, kind: RestrainedKind, subject: str, order: Order) -> None:
        """Lift what the order names, or all that holds the subject."""
        self._restraints[kind].give_back(subject, _ordered(order))

    def is_in_force(self, kind: RestrainedKind, subject: str, key: str) -> bool:
        """Tell whether what the order ``key`` took away is still held back by it."""
        return self._restraints[kind].is_in_force(subject, key)

    def is_token_revoked(self, token_id: str) -> bool:
        """Tell whether a token is ended."""
        return self._iam.is_token_revoked(token_id)

    def revoke_token(self, token_id: str, order: Order) -> None:
        """End a token for good."""
        self._iam.revoke_token(token_id, _ordered(order))


def _ordered(order: Order) -> ContainmentOrder:
    return ContainmentOrder(
        org_id=order.org_id,
        key=order.key,
        undoes=order.undoes,
        reason=f"playbook run {order.run_id}: {order.reason}"[:200],
        told=told_of(order),
    )


def told_of(order: Order) -> dict[str, str]:
    """Return what the other planes' acts say of the order: on whose authority they were."""
    return {
        "run": order.run_id,
        "incident": order.incident_id,
        "key": order.key,
        "undoes": order.undoes,
        "requester": order.requester_id,
        "approver": order.approver_id,
        "reason": order.reason,
    }
