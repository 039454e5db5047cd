"""Random letters that people copy from paper: an even draw from a small alphabet, in groups."""

from __future__ import annotations


def letters_of(random: bytes, alphabet: str, count: int) -> str:
    """Return ``count`` letters; ``random`` holds 8 bytes more than they do, so none is favoured."""
    number = int.from_bytes(random, "big")
    letters = []
    for _ in range(count):
        number, rest = divmod(number, len(alphabet))
        letters.append(alphabet[rest])
    return "".join(letters)


def in_groups(text: str, size: int = 4) -> str:
    """Return ``text`` in groups of ``size``, joined by hyphens."""
    return "-".join(text[at : at + size] for at in range(0, len(text), size))
