"""From a sign-in to features: classes, keyed hashes, and nothing that names anybody."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.anomaly import networks as networks_module
from detectors.core.anomaly.agents import agent_family
from detectors.core.anomaly.features import (
    from_texts,
    hour_of_week,
    login_features,
    to_texts,
)
from detectors.core.anomaly.networks import NO_NETWORKS, block_of, read_networks
from detectors.errors import NetworkTableRejected
from detectors.models.anomalies import LoginFacts
from secops.kernel.clock import DAY, HOUR, from_rfc3339

BEIJING = ZoneInfo("Asia/Shanghai")
MONDAY = from_rfc3339("2026-11-23T00:30:00Z")  # 08:30 in Beijing
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0"
FACTS = LoginFacts(
    account="acc_ann",
    peers="org_root|staff",
    at=MONDAY,
    address="203.0.113.7",
    user_agent=EDGE,
    last_at=MONDAY - 2 * DAY,
    last_address="203.0.113.9",
)
TABLE = read_networks(
    [
        "# ours",
        "",
        "203.0.0.0/8,cn,AS1",
        "203.0.113.0/24,CN,AS2",
        "203.0.113.128/25,us",
        "2001:db8::/32,nl,as3",
    ]
)


def features(facts: LoginFacts = FACTS, table: networks_module.Networks = TABLE) -> dict[str, str]:
    return to_texts(login_features(facts, table, lambda text: f"<{text}>", BEIJING))


def test_a_sign_in_becomes_classes_and_keyed_hashes() -> None:
    assert features() == {
        "peers": "org_root|staff",
        "hour": "8",
        "source": "cn/as2/<network|203.0.113.0/24>/<address|203.0.113.7>",
        "agent": f"desktop/windows-edge/<agent|{EDGE}>",
        "device": "new",
        "pace": "same",
        "failures": "0",
        "idle": "under_4d",
        "factor": "otp",
    }


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("203.0.113.7", ("cn", "as2")),
        ("203.0.113.127", ("cn", "as2")),
        ("203.0.113.128", ("us", "?")),
        ("203.0.113.255", ("us", "?")),
        ("203.0.114.0", ("cn", "as1")),
        ("203.255.255.255", ("cn", "as1")),
        ("204.0.0.0", ("?", "?")),
        ("1.1.1.1", ("?", "?")),
        ("::ffff:203.0.113.7", ("cn", "as2")),
        ("2001:db8::1", ("nl", "as3")),
        ("2001:db9::1", ("?", "?")),
        ("no address", ("?", "?")),
    ],
)
def test_the_most_specific_network_counts(address: str, origin: tuple[str, str]) -> None:
    assert TABLE.origin(address) == origin


def test_without_a_table_every_origin_is_unknown() -> None:
    assert NO_NETWORKS.origin("203.0.113.7") == ("?", "?")
    assert read_networks(["10.0.0.0/8,cn"]).origin("::1") == ("?", "?")


@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.integers(8, 16), st.sampled_from(["cn", "us", "nl"])),
        max_size=12,
        unique_by=lambda entry: entry[:2],
    ),
    st.integers(0, 0xFFFF),
)
def test_the_table_answers_as_a_look_through_all_networks(
    entries: list[tuple[int, int, str]], low: int
) -> None:
    found = {
        ipaddress.ip_network((10 << 24 | second << 16, bits), strict=False): country
        for second, bits, country in entries
    }
    address = ipaddress.ip_address(10 << 24 | (low & 0xFF) << 16 | low)
    inside = [network for network in found if address in network]
    expected = found[max(inside, key=lambda network: network.prefixlen)] if inside else "?"
    table = read_networks(f"{network},{country}" for network, country in found.items())
    assert table.origin(str(address))[0] == expected


@pytest.mark.parametrize(
    "line", ["not a network,cn", "10.0.0.1/8,cn", "10.0.0.0/8", "10.0.0.0/8,china", "10.0.0.0/8,12"]
)
def test_a_bad_line_of_the_table_is_named(line: str) -> None:
    with pytest.raises(NetworkTableRejected, match="line 2"):
        read_networks(["10.0.0.0/8,cn", line])


def test_a_table_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks_module, "MAX_NETWORKS", 1)
    with pytest.raises(NetworkTableRejected, match="more than 1"):
        read_networks(["10.0.0.0/8,cn", "11.0.0.0/8,cn"])


def test_addresses_fall_into_blocks_of_their_version() -> None:
    assert block_of("203.0.113.7") == "203.0.113.0/24"
    assert block_of("2001:db8:0:1ff::7") == "2001:db8:0:100::/56"
    assert block_of("local") == "?"


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        (EDGE, ("desktop", "windows-edge")),
        ("Mozilla/5.0 (X11; Linux x86_64; UOS) Chrome/100", ("desktop", "uos-chrome")),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Safari/604.1", ("handheld", "ios-safari")),
        ("Mozilla/5.0 (Linux; Android 14) MicroMessenger/8", ("handheld", "android-wechat")),
        ("python-requests/2.31", ("program", "other-script")),
        ("curl/8", ("program", "other-script")),
        ("something else", ("program", "other-other")),
        ("", ("none", "other-other")),
        ("Firefox", ("desktop", "other-firefox")),
    ],
)
def test_browsers_have_families(agent: str, family: tuple[str, str]) -> None:
    assert agent_family(agent) == family


def test_the_hour_is_the_local_one() -> None:
    assert hour_of_week(MONDAY, BEIJING) == 8
    assert hour_of_week(MONDAY - HOUR, BEIJING) == 7
    assert hour_of_week(MONDAY - 9 * HOUR, BEIJING) == 6 * 24 + 23


@pytest.mark.parametrize(
    ("address", "passed", "pace"),
    [
        ("203.0.113.200", 60, "moved_1h"),
        ("203.0.114.1", 60, "moved_1h"),
        ("203.0.114.1", 2 * 3_600, "moved_8h"),
        ("203.0.114.1", 9 * 3_600, "moved_later"),
        ("203.0.113.1", 60, "same"),
    ],
)
def test_the_pace_is_how_soon_another_network_shows_up(
    address: str, passed: int, pace: str
) -> None:
    facts = replace(FACTS, last_address=address, last_at=MONDAY - passed * 1_000_000)
    assert features(facts)["pace"] == pace


def test_without_a_system_the_block_tells_the_network() -> None:
    near = replace(FACTS, last_address="203.0.113.200")
    assert features(near, NO_NETWORKS)["pace"] == "same"


def test_a_first_sign_in_is_one() -> None:
    fresh = features(replace(FACTS, last_at=None, last_address="", device="known", failures=7))
    assert (fresh["pace"], fresh["idle"], fresh["device"], fresh["failures"]) == (
        "first",
        "first",
        "known",
        "3+",
    )


@pytest.mark.parametrize(
    ("days", "idle"),
    [(0, "under_1d"), (1, "under_4d"), (4, "under_15d"), (15, "under_60d"), (400, "longer")],
)
def test_idle_time_has_classes(days: int, idle: str) -> None:
    assert features(replace(FACTS, last_at=MONDAY - days * DAY))["idle"] == idle


def test_texts_bring_the_features_back() -> None:
    found = login_features(FACTS, TABLE, lambda text: str(len(text)), BEIJING)
    assert from_texts("acc_ann", to_texts(found)) == found


@pytest.mark.parametrize(
    "change", [{"hour": "168"}, {"hour": "x"}, {"source": "cn/as1"}, {"idle": None}]
)
def test_what_is_no_sign_in_is_not_read_as_one(change: dict[str, str | None]) -> None:
    texts = to_texts(login_features(FACTS, TABLE, lambda text: str(len(text)), BEIJING))
    bent = {**texts, **change}
    kept = {name: value for name, value in bent.items() if value is not None}
    assert from_texts("acc_ann", kept) is None
