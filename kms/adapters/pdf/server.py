"""The process that forks one limited child for each PDF: what is heavy is imported once.

``python -I -m kms.adapters.pdf.server``, its standard input a socket over which each question
comes as a socket of its own. It has one thread, so forking is safe, and no key, file or
database. It ends with the process that started it, or when nobody asked for a while.
"""

from __future__ import annotations

import gc
import os
import socket
import time
from typing import Final

_IDLE: Final = 300.0
"""Seconds without a question after which the memory is given back."""

_LOOK: Final = 10.0
"""Seconds between looks whether whoever started this process still lives."""


def main() -> None:
    """Answer until the other end of standard input is closed."""
    # heavy: this is what the process is kept for
    from kms.adapters.pdf import worker  # noqa: PLC0415

    parent = os.getppid()
    control = socket.socket(fileno=0)
    control.settimeout(_LOOK)
    worker.warm_up()
    gc.collect()
    # so that the children's collectors leave these pages shared
    gc.freeze()
    asked = time.monotonic()
    while os.getppid() == parent and time.monotonic() - asked < _IDLE:
        _see_off()
        try:
            message, passed, _, _ = socket.recv_fds(control, 1, 1)
        except TimeoutError:
            continue
        if not message:
            break
        for number in passed:
            _fork(control, number)
        asked = time.monotonic()
    _see_off()


def _see_off() -> None:
    """Take leave of the children that have ended; each ends itself."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return


def _fork(control: socket.socket, number: int) -> None:
    """Answer the question that comes over the socket ``number`` in a child."""
    from kms.adapters.pdf import worker  # noqa: PLC0415 - as above

    try:
        child = os.fork()
    except OSError:
        child = -1
    if child:
        # where there is no child, whoever asks sees that nobody answers
        os.close(number)
        return
    try:
        control.close()
        with socket.socket(fileno=number) as question:
            worker.answer(question)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
