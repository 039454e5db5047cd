"""A bundle is read whole and unchanged, or refused: whatever a stranger puts in the file."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.collectors import bundle as reader
from audits.core.collectors.bundle import open_bundle
from audits.errors import BundleRejected
from tests.fakes.bundles import FIRST, assembled, bundle, section

GOOD = bundle({"sysctl": "a = 1\n", "ssh.file:/etc/ssh/sshd_config": "Port 22\n"})
META = section("meta", b"host=h\ncollector=1\nfinished=1\n")


def test_a_bundle_is_read_with_its_sections_and_its_host() -> None:
    opened = open_bundle(GOOD)
    assert (opened.host, opened.collector, opened.finished) == ("oa-web-01", 1, 1_790_000_000)
    assert list(opened.sections) == ["sysctl", "ssh.file:/etc/ssh/sshd_config", "meta"]
    assert opened.sections["sysctl"].text == "a = 1\n"
    assert opened.sections["sysctl"].is_read


def test_a_compressed_bundle_is_the_same() -> None:
    assert open_bundle(gzip.compress(GOOD)) == open_bundle(GOOD)


def test_a_section_that_was_not_read_keeps_its_reason() -> None:
    opened = open_bundle(bundle({}, {"audit.rules": ("denied", "You must be root")}))
    rules = opened.sections["audit.rules"]
    assert (rules.state, rules.text, rules.is_read) == ("denied", "You must be root", False)


@pytest.mark.parametrize("at", range(0, len(GOOD), 7))
def test_a_byte_changed_anywhere_is_noticed(at: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= 1
    with pytest.raises(BundleRejected):
        open_bundle(bytes(changed))


@pytest.mark.parametrize("length", range(0, len(GOOD), 11))
def test_a_bundle_cut_short_is_refused(length: int) -> None:
    with pytest.raises(BundleRejected):
        open_bundle(GOOD[:length])


@pytest.mark.parametrize(
    "name",
    [
        "ssh.file:../../etc/cron.d/x",
        "ssh.file:/etc/../root/.ssh/authorized_keys",
        "../x",
        "a:..",
        "A",
        "",
        "ssh.file:/a\x00b",
        "ssh.file:/a\x1b[2J",
        f"ssh.file:/{'a' * 300}",
    ],
)
def test_a_section_with_a_strange_name_is_refused(name: str) -> None:
    with pytest.raises(BundleRejected):
        open_bundle(assembled(section(name, b""), META))


def test_a_section_that_stands_twice_is_refused() -> None:
    twice = section("sysctl", b"a = 1")
    with pytest.raises(BundleRejected, match="twice"):
        open_bundle(assembled(twice, twice, META))


def test_what_follows_the_end_is_refused() -> None:
    with pytest.raises(BundleRejected, match="follows"):
        open_bundle(GOOD + b"\n")


def test_a_section_taken_out_or_moved_is_noticed() -> None:
    first, second = section("one", b"1"), section("two", b"2")
    head = FIRST + second[1] + first[1] + META[1]
    in_order = hashlib.sha256(first[0] + second[0] + META[0]).hexdigest()
    for count in (2, 3):
        with pytest.raises(BundleRejected, match="list of sections"):
            open_bundle(head + f"@end {count} {in_order}\n".encode())


def test_a_compressed_bomb_is_refused_before_it_unpacks() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20), 9)
    assert len(bomb) < 100_000
    with pytest.raises(BundleRejected, match="unpacks"):
        open_bundle(bomb)
    nested = gzip.compress(gzip.compress(GOOD))
    with pytest.raises(BundleRejected, match="no bundle"):
        open_bundle(nested)
    for tail in (b"rubbish", gzip.compress(GOOD)):
        with pytest.raises(BundleRejected, match="more follows"):
            open_bundle(gzip.compress(GOOD) + tail)
    with pytest.raises(BundleRejected, match="ends early"):
        open_bundle(gzip.compress(GOOD)[:-9])
    with pytest.raises(BundleRejected, match="damaged"):
        open_bundle(b"\x1f\x8b" + GOOD)


def test_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit, content in (
        ("MAX_BUNDLE_BYTES", 10, GOOD),
        ("MAX_SECTIONS", 2, GOOD),
        ("MAX_SECTION", 3, GOOD),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(reader, name, limit)
            with pytest.raises(BundleRejected):
                open_bundle(content)


def test_a_line_of_a_gigabyte_is_refused_by_its_length_alone() -> None:
    # the length that a header claims is compared before anything is cut out of the file
    line = f"@ ok 0 99999999 {'0' * 64} sysctl\n".encode()
    with pytest.raises(BundleRejected, match="more than"):
        open_bundle(FIRST + line + b"x" * 5_000)


def test_archives_with_climbing_names_links_and_devices_are_no_bundles() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        link = tarfile.TarInfo("../../etc/passwd")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        archive.addfile(link)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as other:
        other.writestr("../../x", "x")
    for content in (packed.getvalue(), zipped.getvalue()):
        with pytest.raises(BundleRejected):
            open_bundle(content)


@pytest.mark.parametrize(
    "meta",
    [
        b"",
        b"host=h",
        b"host=h\ncollector=1",
        b"host=h\ncollector=one\nfinished=1",
        b"host=a b\ncollector=1\nfinished=1",
        b"collector=1\nfinished=1",
        b"host=h\ncollector=1\nfinished=9999999999999999",
    ],
)
def test_a_bundle_that_does_not_say_what_it_is_of_is_refused(meta: bytes) -> None:
    with pytest.raises(BundleRejected):
        open_bundle(assembled(section("meta", meta)))


def test_a_bundle_without_a_meta_section_is_refused() -> None:
    for sections in ((), (section("meta", b"host=h", "failed"),)):
        with pytest.raises(BundleRejected):
            open_bundle(assembled(*sections))


def test_bytes_that_are_no_text_are_kept_as_such() -> None:
    opened = open_bundle(assembled(section("sysctl", b"\xff\xfe\x00 = 1"), META))
    assert opened.sections["sysctl"].text == "��\x00 = 1"


@given(st.binary(max_size=300))
def test_rubbish_is_refused_by_our_own_error(content: bytes) -> None:
    for start in (b"", FIRST, FIRST + b"@ ok 0 3 ", b"\x1f\x8b"):
        with pytest.raises(BundleRejected):
            open_bundle(start + content)
