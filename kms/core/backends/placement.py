"""Where a new key goes: the first rule that fits, and in it the first group that can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kms.errors.backends import BackendDraining, BackendNotFound, BackendUnsupported
from kms.models.backends import SOFTWARE, KeyWish, Offer, Placement
from kms.models.keys import SYSTEM_MOUNT


def place_key(wish: KeyWish, rules: Sequence[Placement], offers: Mapping[str, Offer]) -> str:
    """Return the group for ``wish``; software where no rule fits.

    Where a rule fits and none of its groups can, that is raised: a key that was meant for a
    token never falls back to software in silence.
    """
    rule = fitting_rule(wish, rules)
    if rule is None:
        return SOFTWARE
    failure: BackendUnsupported | BackendDraining | BackendNotFound | None = None
    for group in rule.groups:
        try:
            return demand_place(wish, group, offers, centre=rule.centre)
        except (BackendUnsupported, BackendDraining, BackendNotFound) as error:
            failure = failure or error
    raise failure or BackendNotFound("the placement rule names no group")


def fitting_rule(wish: KeyWish, rules: Sequence[Placement]) -> Placement | None:
    """Return the first rule that fits ``wish``; None leaves it to software."""
    return next((each for each in rules if _fits(wish, each)), None)


def demand_place(
    wish: KeyWish, group: str, offers: Mapping[str, Offer], *, centre: str = ""
) -> str:
    """Return ``group`` if it takes ``wish``; raise why it doesn't."""
    offer = offers.get(group)
    if offer is None or (centre and centre not in offer.centres):
        where = f" in {centre}" if centre else ""
        raise BackendNotFound(f"no backend of the group {group[:64]!r} is configured{where}")
    if wish.algorithm not in offer.algorithms:
        raise BackendUnsupported(f"the backends {group} make no keys of type {wish.type}")
    if offer.draining:
        raise BackendDraining(f"the backends {group} take no new keys")
    return group


def _fits(wish: KeyWish, rule: Placement) -> bool:
    if wish.mount == SYSTEM_MOUNT and SYSTEM_MOUNT not in rule.mounts:
        # the product's own keys, those of seals among them, go into a device only by name
        return False
    return (
        (not rule.types or wish.type in rule.types)
        and (not rule.mounts or wish.mount in rule.mounts)
        and (not rule.orgs or wish.org_id in rule.orgs)
    )
