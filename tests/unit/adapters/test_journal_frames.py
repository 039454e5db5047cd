"""The frame format: what is written reads back, what is torn or changed is told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from secops.adapters.journal.frames import (
    FILE_HEADER,
    Scan,
    encode_frame,
    file_header,
    file_id_of,
    first_running,
    next_file_id,
    scan,
)

FILE_ID = bytes(range(16))
SIZE = 8_192
records_in_batches = st.lists(
    st.lists(st.binary(max_size=60), min_size=1, max_size=4), min_size=1, max_size=5
)


def written(batches: list[list[bytes]], file_id: bytes = FILE_ID) -> tuple[bytes, list[int]]:
    """Return a file of these batches and the offsets at which the batches begin."""
    content, running = file_header(file_id), first_running(file_id)
    begins = []
    for batch in batches:
        begin = len(content)
        begins.append(begin)
        for record in batch:
            frame, running = encode_frame(record, file_id=file_id, batch=begin, running=running)
            content += frame
    return content.ljust(SIZE, b"\0"), begins


def scanned(data: bytes, start: int = FILE_HEADER) -> Scan:
    return scan(data, start, file_id=FILE_ID, running=first_running(FILE_ID))


def flat(batches: list[list[bytes]]) -> list[bytes]:
    return [record for batch in batches for record in batch]


@given(records_in_batches)
def test_what_is_written_reads_back(batches: list[list[bytes]]) -> None:
    data, _ = written(batches)
    found = scanned(data)
    assert [frame.record for frame in found.frames] == flat(batches)
    assert found.ending == "clean"


@given(records_in_batches, st.data())
def test_reading_may_stop_and_go_on_anywhere(
    batches: list[list[bytes]], data: st.DataObject
) -> None:
    content, _ = written(batches)
    count = data.draw(st.integers(1, len(flat(batches))))
    running = first_running(FILE_ID)
    first = scan(content, FILE_HEADER, file_id=FILE_ID, running=running, limit=count)
    rest = scan(content, first.end, file_id=FILE_ID, running=first.running)
    together = [frame.record for frame in (*first.frames, *rest.frames)]
    assert (first.ending, together) == ("more", flat(batches))


@given(records_in_batches, st.data())
def test_any_changed_bit_before_the_last_batch_is_corruption(
    batches: list[list[bytes]], data: st.DataObject
) -> None:
    content, begins = written([*batches, [b"last"]])
    bit = data.draw(st.integers(FILE_HEADER * 8, begins[-1] * 8 - 1))
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    found = scanned(bytes(damaged))
    assert found.ending == "corrupt"
    assert found.end <= bit // 8


@given(records_in_batches, st.data())
def test_a_torn_last_batch_gives_a_true_prefix_and_is_no_corruption(
    batches: list[list[bytes]], data: st.DataObject
) -> None:
    content, begins = written(batches)
    end = scanned(content).end
    # any of the last batch's bytes may have missed the disk
    lost = data.draw(st.lists(st.integers(begins[-1], end - 1), min_size=1))
    damaged = bytearray(content)
    for index in lost:
        damaged[index] = 0
    found = scanned(bytes(damaged))
    got = [frame.record for frame in found.frames]
    assert got == flat(batches)[: len(got)]
    assert len(got) >= len(flat(batches[:-1]))
    assert found.ending in ("clean", "torn")


def test_a_lost_frame_in_the_middle_of_the_last_batch_is_torn() -> None:
    content, begins = written([[b"a"], [b"b", b"c"]])
    damaged = bytearray(content)
    damaged[begins[1] : begins[1] + 53] = bytes(53)
    assert scanned(bytes(damaged)).ending == "torn"


def test_leftovers_of_a_batch_that_failed_are_not_taken_for_frames() -> None:
    # the batch [long, tail] failed; [short] took its place, as after a full disk
    failed, begins = written([[b"kept"], [b"x" * 10, b"tail"]])
    good, _ = written([[b"kept"], [b"x" * 10]])
    end = scanned(good).end
    other, running = encode_frame(
        b"y" * 10,
        file_id=FILE_ID,
        batch=begins[1],
        running=scanned(failed, FILE_HEADER).frames[0].running,
    )
    mixed = failed[: begins[1]] + other + failed[end:]
    found = scanned(mixed)
    assert [frame.record for frame in found.frames] == [b"kept", b"y" * 10]
    assert (found.running, found.ending) == (running, "torn")


def test_a_swapped_record_with_a_right_crc_breaks_the_running_hash() -> None:
    data, _ = written([[b"pay 1"], [b"pay 2"], [b"pay 3"]])
    frame, _ = encode_frame(
        b"pay 9", file_id=FILE_ID, batch=FILE_HEADER, running=first_running(FILE_ID)
    )
    forged = data[:FILE_HEADER] + frame + data[FILE_HEADER + len(frame) :]
    found = scanned(forged)
    assert [f.record for f in found.frames] == [b"pay 9"]
    assert found.ending == "corrupt"


def test_another_files_frames_are_not_ours() -> None:
    other, _ = written([[b"a"], [b"b"]], file_id=b"\xff" * 16)
    assert scanned(file_header(FILE_ID) + other[FILE_HEADER:]).ending == "torn"


def test_the_closing_frame_names_the_next_file() -> None:
    content, running = file_header(FILE_ID), first_running(FILE_ID)
    frame, running = encode_frame(b"a", file_id=FILE_ID, batch=64, running=running)
    closing, _ = encode_frame(
        b"n" * 16, file_id=FILE_ID, batch=64 + len(frame), running=running, last=True
    )
    data = content + frame + closing
    found = scanned(data)
    assert ([f.record for f in found.frames], found.ending) == ([b"a"], "closed")
    assert next_file_id(data, found.end) == b"n" * 16


@given(st.binary(max_size=300))
def test_rubbish_is_never_a_frame(rubbish: bytes) -> None:
    found = scanned(file_header(FILE_ID) + rubbish)
    assert found.frames == []
    assert found.ending in ("clean", "torn")


def test_only_our_header_has_an_id() -> None:
    assert file_id_of(file_header(FILE_ID)) == FILE_ID
    assert file_id_of(b"") is None
    assert file_id_of(b"x" * 64) is None
