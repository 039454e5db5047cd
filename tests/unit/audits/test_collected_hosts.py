"""What collectors read of three hosts: a hardened Debian 12, an openEuler, an old CentOS 6."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.collectors.bundle import open_bundle
from audits.core.collectors.facts import COLLECTORS, read_facts
from audits.models.collectors import Bundle, Section, SectionState
from tests.fakes.bundles import bundle
from tests.fakes.collected_hosts import CENTOS_6, DEBIAN_12, OPENEULER

HOSTS: Final = {"debian": DEBIAN_12, "openeuler": OPENEULER, "centos": CENTOS_6}
VECTORS = Path(__file__).parents[2] / "vectors" / "collectors" / "hosts.json"
NAMES = sorted({name for texts in HOSTS.values() for name in texts})
FAMILIES = ("host", "nginx", "pg")
MOST_FACT = 400


@pytest.mark.parametrize("name", HOSTS)
def test_facts_of_a_host_and_what_was_not_read(name: str) -> None:
    readings = read_facts(open_bundle(bundle(HOSTS[name])), "host")
    found = {each.kind: {"facts": each.facts, "unread": list(each.unread)} for each in readings}
    assert found == orjson.loads(VECTORS.read_bytes())[name]


def test_an_empty_bundle_gives_no_facts_and_says_what_is_missing() -> None:
    opened = open_bundle(bundle({}))
    for family in FAMILIES:
        readings = {each.kind: each for each in read_facts(opened, family)}
        assert list(readings) == [kind for kind in COLLECTORS if kind.startswith(family)]
        for kind, reading in readings.items():
            assert reading.unread
            told = set() if kind != "host.system" else {"kernel", "container", "as_root"}
            assert set(reading.facts) == told


@pytest.mark.parametrize("state", ["failed", "missing", "denied"])
def test_of_what_was_refused_nothing_is_taken_for_a_fact(state: SectionState) -> None:
    """The reason of a section that was not read may hold anything, a whole configuration too."""
    for texts in HOSTS.values():
        opened = open_bundle(bundle({}, {name: (state, text) for name, text in texts.items()}))
        for reading in read_facts(opened, "host"):
            assert reading.unread
            assert set(reading.facts) <= {"kernel", "container", "as_root"}


def test_of_a_section_that_was_cut_nobody_counts_what_is_not_there() -> None:
    texts = dict(DEBIAN_12)
    sockets = texts.pop("net.sockets")
    opened = open_bundle(bundle(texts, {"net.sockets": ("cut", sockets)}))
    listeners = next(r for r in read_facts(opened, "host") if r.kind == "host.listeners")
    assert (listeners.facts, listeners.unread) == ({}, ("net.sockets: cut short",))


@pytest.mark.parametrize("state", ["denied", "failed", "cut"])
def test_a_file_that_is_refused_may_say_the_contrary_of_the_others(state: SectionState) -> None:
    texts = dict(DEBIAN_12)
    refused: tuple[SectionState, str] = (state, "not readable by uid 1000")
    opened = open_bundle(bundle(texts, {"accounts.sudo:/etc/sudoers.d/zz": refused}))
    readings = {each.kind: each for each in read_facts(opened, "host")}
    assert not {"sudo_for_all", "sudo_without_password"} & set(readings["host.accounts"].facts)
    gone = open_bundle(bundle(texts, {"accounts.sudo:/etc/sudoers.d/zz": ("missing", "none")}))
    readings = {each.kind: each for each in read_facts(gone, "host")}
    assert "sudo_for_all" in readings["host.accounts"].facts


def test_a_text_with_a_line_or_lines_no_program_prints_is_not_read() -> None:
    for text, why in (("x" * 70_000, "a line of more"), ("\n" * 100_001, "more than 100000 lines")):
        readings = read_facts(_opened({"sysctl": text}), "host")
        kernel = next(each for each in readings if each.kind == "host.kernel")
        assert (kernel.facts, why in kernel.unread[0]) == ({}, True)


def _opened(texts: dict[str, str]) -> Bundle:
    sections = {name: Section(name, "ok", 0, text) for name, text in texts.items()}
    return Bundle(sections, {"uid": "0"}, 1, "h", 1_790_000_000)


@given(
    st.dictionaries(
        st.sampled_from([*NAMES, "nginx.config", "pg.settings", "pg.hba", "pg.roles", "fw.nft"]),
        st.text(max_size=200) | st.sampled_from([t for h in HOSTS.values() for t in h.values()]),
        max_size=12,
    )
)
def test_whatever_a_section_says_collectors_only_read(texts: dict[str, str]) -> None:
    for family in FAMILIES:
        for reading in read_facts(_opened(texts), family):
            for value in reading.facts.values():
                assert type(value) in (bool, int, str)
                assert not isinstance(value, str) or len(value) <= MOST_FACT
            assert all(line.isprintable() and len(line) <= MOST_FACT for line in reading.unread)


@given(st.sampled_from(list(HOSTS)), st.data())
def test_a_host_with_damaged_texts_is_only_read(name: str, data: st.DataObject) -> None:
    texts = dict(HOSTS[name])
    for section in data.draw(st.lists(st.sampled_from(sorted(texts)), max_size=5)):
        text = texts[section]
        at = data.draw(st.integers(0, len(text)))
        texts[section] = text[:at] + data.draw(st.text(max_size=20)) + text[at + 1 :]
    for reading in read_facts(_opened(texts), "host"):
        assert reading.kind in COLLECTORS
