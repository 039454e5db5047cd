"""What the bench of audits assesses is what it says."""

from __future__ import annotations

from collections import Counter

from secops.cli.bench.evidence import HOSTS, made_events
from secops.kernel.clock import DAY

NOW = 1_800_000_000_000_000


def test_invented_events_are_all_different_in_the_window_and_of_the_hosts() -> None:
    events = [event for batch in made_events(3_000, NOW) for event in batch]
    assert (len(events), len({event.id for event in events})) == (3_000, 3_000)
    assert all(NOW - 180 * DAY <= event.at < NOW for event in events)
    sources = {event.source for event in events}
    assert sources == {f"host{number:03}" for number in range(HOSTS)}
    kinds = Counter(event.fields.get("observer.type", "") for event in events)
    assert set(kinds) == {"", "firewall", "ids", "vpn", "bastion"}
    again = [event for batch in made_events(3_000, NOW) for event in batch]
    assert again == events
