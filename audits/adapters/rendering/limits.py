"""What a child that opens a stranger's template may use: little time and memory, no file."""

from __future__ import annotations

import resource

SECONDS = 10
"""Seconds of processor."""

MEMORY = 1 << 30
"""Bytes of data."""

OUTPUT = 64 << 20
"""Bytes of what it makes."""


def output_faults(made: bytes) -> list[str]:
    """Return what is wrong with the size of what was made."""
    return [f"what it makes is larger than {OUTPUT} bytes"] if len(made) > OUTPUT else []


def limit_resources() -> None:
    """Hold this process to the limits; one that is passed ends it."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # a crash leaves no copy of the report behind
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def shut_doors() -> None:
    """Open nothing from now on: neither a file nor a socket nor a program."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
