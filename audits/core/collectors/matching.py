"""Which assets a bundle tells of: those with the host's name or one of its addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from audits.errors import AssetNotMatched
from audits.models.collectors import FAMILIES, Bundle
from audits.models.systems import Asset

_SHOWN: Final = 5


def assets_of(bundle: Bundle, assets: Sequence[Asset], asset_id: str = "") -> tuple[Asset, ...]:
    """Return the asset named, or those that are the host by name or address.

    A host, the database and the middleware on it may be three assets; of each kind at most
    one may fit. Raises ``AssetNotMatched``.
    """
    if asset_id:
        named = tuple(asset for asset in assets if asset.id == asset_id)
        if not named:
            raise AssetNotMatched(f"the system has no asset {asset_id[:80]!r}")
        if named[0].kind not in FAMILIES:
            raise AssetNotMatched(f"no collector tells of assets of the kind {named[0].kind}")
        return named
    names, addresses = _names(bundle), _addresses(bundle)
    fitting = tuple(
        asset for asset in assets if asset.kind in FAMILIES and _fits(asset, names, addresses)
    )
    kinds = [asset.kind for asset in fitting]
    if not fitting:
        raise AssetNotMatched(f"no asset has the name or an address of {bundle.host!r}")
    if len(set(kinds)) != len(kinds):
        shown = ", ".join(asset.id for asset in fitting[:_SHOWN])
        raise AssetNotMatched(f"several assets of a kind fit {bundle.host!r}: {shown}")
    return fitting


def _fits(asset: Asset, names: frozenset[str], addresses: frozenset[str]) -> bool:
    place = asset.address.strip().casefold()
    bare = place.rpartition(":")[0] if place.count(":") == 1 else place
    return asset.name.strip().casefold() in names or bare in names or _plain(bare) in addresses


def _names(bundle: Bundle) -> frozenset[str]:
    whole = bundle.host.casefold()
    return frozenset((whole, whole.partition(".")[0])) - {"", "localhost"}


def _addresses(bundle: Bundle) -> frozenset[str]:
    """Return the addresses that ``ip -o addr`` lists; every host has loopback ones."""
    section = bundle.sections.get("net.addresses")
    if section is None or not section.is_read:
        return frozenset()
    found = set()
    for line in section.text.split("\n"):
        words = line.split()
        for name, value in pairwise(words):
            if name in ("inet", "inet6"):
                found.add(_plain(value.partition("/")[0]))
    return frozenset(found) - {""}


def _plain(text: str) -> str:
    """Return an address in its usual form, empty for what is none or names no one host."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    shared = address.is_loopback or address.is_link_local or address.is_unspecified
    return "" if shared else str(address)
