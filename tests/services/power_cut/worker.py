"""Writes through both doors of a home under the shim; each answer is a line in ``acks``."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from tests.functional.spine_process import hot_act, open_process, state_change

THREADS = 4


def main(home: Path, each: int, *, answer_first: bool) -> None:
    """Write ``each`` acts in every thread; ``answer_first`` is the control."""
    spine = open_process(home, "gateway")
    acks = os.open(home / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def loop(thread: int) -> None:
        for number in range(each):
            name = f"{thread}-{number}"
            if answer_first:
                os.write(acks, f"{name}\n".encode())
            (state_change if number % 2 else hot_act)(spine, name)
            if not answer_first:
                os.write(acks, f"{name}\n".encode())

    threads = [threading.Thread(target=loop, args=(index,)) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), answer_first=sys.argv[3] == "control")
