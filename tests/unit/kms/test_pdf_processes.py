"""The process that reads PDFs: kept, limited, started again, and gone with whoever started it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kms.adapters.pdf import PyHankoFiles, processes, worker
from kms.adapters.pdf.frames import BrokenFrame, receive, receive_frame, send_frame
from kms.errors.seals import DocumentRejected
from kms.ports.pdf import PADES, FoundSignature, PdfPlace, PdfRequest, PreparedPdf
from secops.kernel.errors import TooMany, Unavailable
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import assemble, paged_pdf
from tests.fakes.sealing import PIXEL

PATIENCE = 30
PLACE = PdfPlace(PIXEL, 42, 42, page=1, x=10, y=10)
REQUEST = PdfRequest(PADES, "临江县数据局", 1_760_000_000_000_000, 4096, PLACE)


@pytest.fixture(scope="module")
def files() -> Iterator[PyHankoFiles]:
    made = PyHankoFiles()
    yield made
    made.processes.close()


def prepared(files: PyHankoFiles | PdfInProcess) -> PreparedPdf:
    return files.prepare(paged_pdf(2), REQUEST)


def found(files: PyHankoFiles | PdfInProcess) -> list[FoundSignature]:
    return list(files.read(prepared(files).content).signatures)


def process_of(files: PyHankoFiles) -> int:
    process = files.processes.process_id
    return -1 if process is None else process


def ended(watched: int) -> bool:
    """Wait until the process behind a pidfd has ended."""
    readable, _, _ = select.select([watched], [], [], PATIENCE)
    os.close(watched)
    return bool(readable)


def test_the_child_process_prepares_and_finds_as_this_one_does(files: PyHankoFiles) -> None:
    here = prepared(PdfInProcess())
    there = prepared(files)
    assert (there.start, there.end, len(there.content)) == (
        here.start,
        here.end,
        len(here.content),
    )
    (one,) = found(files)
    assert (one.field, one.subfilter) == ("Seal1", "ETSI.CAdES.detached")


def test_one_process_is_kept_for_many_questions(files: PyHankoFiles) -> None:
    before = (found(files), files.processes.process_id)
    assert (found(files), files.processes.process_id) == before


def test_many_ask_at_once_and_each_gets_its_own_answer(files: PyHankoFiles) -> None:
    def pages(count: int) -> int:
        return len(files.prepare(paged_pdf(count), REQUEST).content)

    with ThreadPoolExecutor(12) as pool:
        sizes = list(pool.map(pages, range(1, 25)))
    assert sizes == sorted(set(sizes))


def test_a_killed_process_is_started_again_and_the_question_answered(files: PyHankoFiles) -> None:
    expected, before = found(files), process_of(files)
    watched = os.pidfd_open(before)
    os.kill(before, signal.SIGKILL)
    assert ended(watched)
    assert found(files) == expected
    assert files.processes.process_id != before


def test_a_process_that_hangs_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_PATIENCE", 0.2)
    monkeypatch.setattr(processes, "_FAREWELL", 0.1)
    hanging = (sys.executable, "-c", "import time; time.sleep(600)")
    monkeypatch.setattr(processes, "_COMMAND", hanging)
    files = PyHankoFiles()
    with pytest.raises(Unavailable):
        files.read(paged_pdf())
    files.processes.close()


def test_a_process_that_can_not_start_is_named_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_COMMAND", (sys.executable, "-c", "raise SystemExit(1)"))
    files = PyHankoFiles()
    with pytest.raises(Unavailable):
        files.read(paged_pdf())
    files.processes.close()


def test_a_fork_of_the_asking_process_starts_its_own(files: PyHankoFiles) -> None:
    here = (found(files), process_of(files))[1]
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            found(files)
            os.write(write, str(files.processes.process_id).encode())
            files.processes.close()
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        there = int(answer.read())
    assert os.waitpid(child, 0)[1] == 0
    assert there != here
    assert (found(files), files.processes.process_id)[1] == here


def test_it_ends_with_the_process_that_started_it() -> None:
    """Even with one that is killed and can't say goodbye."""
    program = (
        "import sys, time\n"
        "from kms.adapters.pdf import PyHankoFiles\n"
        "files = PyHankoFiles()\n"
        "try:\n    files.read(b'%PDF')\n"
        "except Exception:\n    print(files.processes.process_id, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as asking:
        line = b"" if asking.stdout is None else asking.stdout.readline()
        watched = os.pidfd_open(int(line))
        asking.kill()
    assert ended(watched)


def test_it_ends_with_its_object() -> None:
    files = PyHankoFiles()
    found(files)
    watched = os.pidfd_open(process_of(files))
    del files
    assert ended(watched)


# limits


def bomb() -> bytes:
    """Return a PDF whose cross-reference stream unpacks to a gigabyte."""
    packed = zlib.compress(bytes(64 << 20), 9)
    packed = zlib.compress(packed * 16, 9)
    head = b"%PDF-1.7\n"
    stream = (
        b"1 0 obj\n<< /Type /XRef /Size 2 /W [1 2 1] /Root 1 0 R"
        b" /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n" % len(packed)
    )
    return head + stream + packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


def with_root(entry: bytes) -> bytes:
    return assemble(
        [
            b"<< /Type /Catalog /Pages 2 0 R " + entry + b" >>",
            b"<< /Type /Pages /Kids [] /Count 0 >>",
        ]
    )


HOSTILE = {
    "rubbish": b"%PDF-1.7 rubbish",
    "nested": b"%PDF" + b"[" * 200_000,
    "nested in the catalogue": with_root(b"/X " + b"[" * 200_000 + b"]" * 200_000),
    "unpacks to a gigabyte": bomb(),
    "a hundred thousand numbers": with_root(b"/X [" + b"0 " * 100_000 + b"]"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_pdf_ends_its_child_and_nothing_else(files: PyHankoFiles, name: str) -> None:
    before = (found(files), files.processes.process_id)
    with pytest.raises(DocumentRejected):
        files.prepare(HOSTILE[name], REQUEST)
    assert (found(files), files.processes.process_id) == before


SLOW = with_root(b"/X <" + b"0" * 300_000 + b">")


def asked_of_a_child(document: bytes) -> tuple[int, Any]:
    """Return how the child ended (0: by itself), and its answer if it gave one."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            ours.close()
            with theirs:
                worker.answer(theirs)
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        send_frame(ours, {"do": "read"}, document)
        try:
            until = time.monotonic() + PATIENCE
            receive(ours, len(worker.READY), until)
            answer, _ = receive_frame(ours, until)
        except BrokenFrame:
            answer = None
    return os.WTERMSIG(os.waitpid(child, 0)[1]), answer


def test_a_child_that_thinks_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_CPU_SECONDS", -0.08)
    assert asked_of_a_child(SLOW) == (signal.SIGPROF, None)


def test_a_child_that_waits_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WALL_SECONDS", 1)
    monkeypatch.setattr(worker, "_answer", lambda *_: signal.pause())
    assert asked_of_a_child(SLOW) == (signal.SIGALRM, None)


def test_a_child_that_takes_too_much_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_MEMORY", 8 << 20)
    monkeypatch.setattr(worker, "_done", lambda *_: bytes(64 << 20))
    refusal = {"refused": "the PDF is nested or unpacked beyond the limits"}
    assert asked_of_a_child(paged_pdf()) == (0, refusal)


def test_a_small_file_costs_a_second_and_a_hundred_megabytes_at_most() -> None:
    seconds, memory = worker.allowance(len(HOSTILE["unpacks to a gigabyte"]))
    assert (seconds <= 1, memory <= 100 << 20) == (True, True)


def test_an_answer_beyond_the_limit_is_refused(
    files: PyHankoFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms.adapters.pdf.frames.MAX_FRAME", 500)
    with pytest.raises(DocumentRejected):
        prepared(files)


def test_who_finds_no_place_for_a_child_process_is_told_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_AT_ONCE", 0)
    monkeypatch.setattr(processes, "_PATIENCE", 0.01)
    with pytest.raises(TooMany):
        PyHankoFiles().read(b"%PDF")


class _GoneAfterTheHead(socket.socket):
    """Its other side answers and ends as soon as it has a head."""

    other: socket.socket

    def sendall(self, data: Any, flags: int = 0) -> None:
        super().sendall(data, flags)
        self.other.recv(1 << 16)
        self.other.close()


def test_a_question_without_a_document_is_whole_when_its_head_is_there() -> None:
    ours, theirs = socket.socketpair()
    asking = _GoneAfterTheHead(fileno=ours.detach())
    asking.other = theirs
    with asking:
        send_frame(asking, {"do": "render"}, b"")
        with pytest.raises(BrokenPipeError):
            super(_GoneAfterTheHead, asking).sendall(b"")
