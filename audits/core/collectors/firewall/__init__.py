"""The packet filter: what its rules let through, from nft or iptables.

Rules of both programs become the same few values, over which the judgement is made. What
containers publish by address translation is counted, since it passes the chains for input by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.collectors.firewall.iptables import read_iptables
from audits.core.collectors.firewall.nft import read_nft
from audits.core.collectors.firewall.rules import Chain, Rule
from audits.core.collectors.reading import Looker

KIND: Final = "host.firewall"


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """The chains that were read, and of which families (4, 6) that is all there are."""

    chains: tuple[Chain, ...]
    families: str

    def lets_in(self, port: int) -> bool:
        """Tell whether every source reach a TCP port: every chain for input must let it."""
        return any(
            all(chain.lets_in(port) for chain in self.at("input", family))
            for family in self.families
        )

    def at(self, hook: str, family: str) -> list[Chain]:
        """Return the chains a packet of ``family`` passes at ``hook``."""
        return [each for each in self.chains if each.hook == hook and family in each.families]


def look_at_firewall(look: Looker) -> None:
    """Note what the host's chains for input and forwarding do by default and let through."""
    found = read_packet_filter(look)
    if found is None:
        look.lack("firewall: neither nft nor iptables was read")
        return
    for family, end in (("4", ""), ("6", "_v6")):
        if family in found.families:
            for hook in ("input", "forward"):
                denied = any(chain.denies for chain in found.at(hook, family))
                look.note(f"{hook}_denied{end}", denied)
    _note_rules(look, found.chains)


def read_packet_filter(look: Looker) -> PacketFilter | None:
    """Return the rules in force, None where no program listed them."""
    chains: list[Chain] = []
    families = ""
    text = look.text("fw.nft")
    if text is not None:
        found = read_nft(text)
        if found is None:
            look.lack("fw.nft: no rule set of `nft -j`, or one of too many steps")
        else:
            chains, families = found, "46"
    if not any(chain.hook for chain in chains):
        # nft lists what iptables-nft made too: the same rules are not counted twice
        for name, family in (("fw.iptables", "4"), ("fw.ip6tables", "6")):
            lines = look.lines(name, needed=not families)
            rules = None if lines is None else read_iptables(lines, family)
            if rules is not None:
                chains += rules
                families += "" if family in families else family
            elif lines is not None:
                look.lack(f"{name}: rules of too many steps")
                return None
    return PacketFilter(tuple(chains), families) if families else None


def _note_rules(look: Looker, chains: Sequence[Chain]) -> None:
    hooked = [chain for chain in chains if chain.hook in ("input", "forward")]
    rules = [rule for chain in hooked for rule in chain.live]
    accepts = [rule for rule in rules if rule.verdict == "accept" and not rule.is_harmless]
    look.note("rules", len(rules))
    look.note("any_accepts", sum(rule.is_any for rule in accepts))
    look.note("loose_accepts", sum(not rule.is_complete for rule in accepts))
    look.note("duplicates", len(rules) - len({rule.text for rule in rules}))
    look.note("unreachable", sum(len(chain.rules) - len(chain.live) for chain in hooked))
    if accepts and all(rule.packets is not None for rule in accepts):
        look.note("unused", sum(rule.packets == 0 for rule in accepts))
    look.note("stateful", any(_is_stateful(rule) for rule in rules))
    look.note("invalid_dropped", any(_drops_invalid(rule) for rule in rules))
    look.note("published", sum(chain.published for chain in chains))


def _is_stateful(rule: Rule) -> bool:
    return rule.verdict == "accept" and "established" in rule.states


def _drops_invalid(rule: Rule) -> bool:
    return rule.verdict in ("drop", "reject") and "invalid" in rule.states
