"""Counting over sliding windows with numpy: exact, for all groups at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def order_of(groups: Integers, times: Integers) -> Integers:
    """Return how to sort matches by group, then by time; stable."""
    by_time = np.argsort(times, kind="stable")
    return by_time[np.argsort(groups[by_time], kind="stable")]


def window_starts(groups: Integers, times: Integers, timespan: int) -> Integers:
    """Return where each match's window begins: the first of its group not before t - timespan.

    Both are sorted as ``order_of`` says; ``groups`` are codes from 0 on.
    """
    count = len(times)
    if not count:
        return np.zeros(0, np.int64)
    # One ascending key for all groups: each group is moved behind the one before it, by more
    # than a timespan, so that a window never reaches into another group.
    low, high = int(times.min()), int(times.max())
    stride = high - low + timespan + 1
    if stride * (int(groups[-1]) + 1) < 1 << 62:
        keys = groups * stride + (times - low)
        starts = np.searchsorted(keys, keys - timespan, side="left")
    else:
        starts = _starts_by_group(groups, times, timespan)
    return starts.astype(np.int64, copy=False)


def _starts_by_group(groups: Integers, times: Integers, timespan: int) -> Integers:
    """As above where one key for all would not fit into 64 bits."""
    edges = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
    starts = np.empty(len(times), np.int64)
    for first, last in zip(edges.tolist(), [*edges[1:].tolist(), len(times)], strict=True):
        mine = times[first:last]
        starts[first:last] = first + np.searchsorted(mine, mine - timespan, side="left")
    return starts


def window_ends(groups: Integers, times: Integers) -> Integers:
    """Return behind which match each match's window ends: those of the same instant count."""
    count = len(times)
    last = np.ones(count, bool)
    last[:-1] = (np.diff(groups) != 0) | (np.diff(times) != 0)
    ends = np.flatnonzero(last) + 1
    position = np.zeros(count, np.int64)
    position[1:] = np.cumsum(last[:-1])
    return ends[position].astype(np.int64, copy=False)


def firing_runs(
    starts: Integers, ends: Integers, firing: npt.NDArray[np.bool_]
) -> tuple[Integers, Integers, Integers]:
    """Join firing windows that share a match; return each run's start, end and first firing.

    The third are the ends of the first windows that fired.
    """
    mine = np.flatnonzero(firing)
    if not len(mine):
        none = np.zeros(0, np.int64)
        return none, none, none
    begin, end = starts[mine], ends[mine]
    fresh = np.ones(len(mine), bool)
    fresh[1:] = begin[1:] >= end[:-1]
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], len(mine)) - 1
    return begin[heads], end[tails], end[heads]


def count_runs(
    groups: Integers,
    times: Integers,
    timespan: int,
    least: int,
    tested: npt.NDArray[np.bool_] | None = None,
) -> tuple[Integers, Integers, Integers]:
    """Return runs of windows with at least ``least`` matches, of sorted matches.

    Only the windows of matches that are ``tested`` are looked at.
    """
    starts, ends = window_starts(groups, times, timespan), window_ends(groups, times)
    firing = ends - starts >= least
    return firing_runs(starts, ends, firing if tested is None else firing & tested)
