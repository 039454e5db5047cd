"""Charts as SVG 1.1: shares by class on a wheel, shares over time as a line.

The texts are escaped, the figures are text beside the lines, and nothing is fetched: the same
picture stands in a page, in a PDF and in a Word file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Final

_WIDTH: Final = 640
_HEIGHT: Final = 420
_MIDDLE: Final = (320.0, 205.0)
_RADIUS: Final = 130.0
_LABEL: Final = 150.0
_RINGS: Final = 4
_LINE: Final = 16
"""From one line of a label to the next, and from a legend's line to the next."""

_TREND_HEIGHT: Final = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 600.0, 20.0, 190.0
_GRID: Final = "#b8c2cf"
_INK: Final = "#1b2430"
_COLOURS: Final = ("#0b5cad", "#7a4a00")
_DASHES: Final = ("", "5 3")
_FONT: Final = "sans-serif"


@dataclass(frozen=True, slots=True)
class Axis:
    """One class: its name, its share of 符合 and of judged items, from 0 to 1."""

    label: str
    rate: Fraction
    judged: Fraction


@dataclass(frozen=True, slots=True)
class Moment:
    """One assessment: its day, its share of 符合 and of judged items, from 0 to 1."""

    label: str
    rate: Fraction
    judged: Fraction


@dataclass(frozen=True, slots=True)
class Legend:
    """The chart's words: what it shows, and the names of its two lines."""

    title: str
    rate: str
    judged: str


def radar(axes: Sequence[Axis], legend: Legend, font: str = _FONT) -> str:
    """Return a wheel of at least three ``axes`` as SVG; of fewer, an empty text."""
    if len(axes) < 3:  # noqa: PLR2004 - two lines enclose nothing
        return ""
    count = len(axes)
    lines = [_polygon(count, [step / _RINGS] * count, _GRID) for step in range(1, _RINGS + 1)]
    lines += [_line(*_MIDDLE, *_at(place, count, 1.0), _GRID) for place in range(count)]
    lines.append(_polygon(count, [float(axis.judged) for axis in axes], _COLOURS[1], _DASHES[1]))
    lines.append(_polygon(count, [float(axis.rate) for axis in axes], _COLOURS[0], fill="0.18"))
    for place, axis in enumerate(axes):
        lines += _axis_label(place, count, axis)
    return _picture(_HEIGHT, lines, legend, font)


def trend(moments: Sequence[Moment], legend: Legend, font: str = _FONT) -> str:
    """Return lines over at least two ``moments`` as SVG; over fewer, an empty text."""
    if len(moments) < 2:  # noqa: PLR2004 - one point is no line
        return ""
    lines = list(_trend_grid())
    step = (_RIGHT - _LEFT) / (len(moments) - 1)
    for number, share in enumerate(("judged", "rate")):
        points = [
            (_LEFT + place * step, _height(getattr(moment, share)))
            for place, moment in enumerate(moments)
        ]
        colour, dash = _COLOURS[1 - number], _DASHES[1 - number]
        lines.append(
            f'<polyline points="{_points(points)}" fill="none" stroke="{colour}"'
            f' stroke-width="2"{_dashed(dash)}/>'
        )
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    shown = _shown(len(moments))
    lines += [
        _text(_LEFT + place * step, _BOTTOM + _LINE, moments[place].label, "middle")
        for place in shown
    ]
    return _picture(_TREND_HEIGHT, lines, legend, font)


def _shown(count: int) -> Sequence[int]:
    """Return which moments are labelled: the last always, and so many that none overlap."""
    step = -(-count // 6)
    return sorted(range(count - 1, -1, -step))


def _trend_grid() -> Iterator[str]:
    for quarter in range(_RINGS + 1):
        y = _height(Fraction(quarter, _RINGS))
        yield _line(_LEFT, y, _RIGHT, y, _GRID)
        yield _text(_LEFT - 6, y + 4, f"{100 * quarter // _RINGS}%", "end")


def _height(share: Fraction) -> float:
    return _BOTTOM - float(share) * (_BOTTOM - _TOP)


def _at(place: int, count: int, share: float, radius: float = _RADIUS) -> tuple[float, float]:
    angle = 2 * math.pi * place / count - math.pi / 2
    return (
        _MIDDLE[0] + radius * share * math.cos(angle),
        _MIDDLE[1] + radius * share * math.sin(angle),
    )


def _polygon(
    count: int, shares: Sequence[float], colour: str, dash: str = "", fill: str = ""
) -> str:
    points = _points([_at(place, count, share) for place, share in enumerate(shares)])
    inside = f'fill="{colour}" fill-opacity="{fill}"' if fill else 'fill="none"'
    width = 1 if colour == _GRID else 2
    return (
        f'<polygon points="{points}" {inside} stroke="{colour}"'
        f' stroke-width="{width}"{_dashed(dash)}/>'
    )


def _axis_label(place: int, count: int, axis: Axis) -> Iterator[str]:
    x, y = _at(place, count, 1.0, _LABEL)
    near = abs(x - _MIDDLE[0]) < 1
    anchor = "middle" if near else "start" if x > _MIDDLE[0] else "end"
    if near and y < _MIDDLE[1]:
        y -= _LINE / 2
    yield _text(x, y, axis.label, anchor)
    yield _text(x, y + _LINE, f"{_percent(axis.rate)} / {_percent(axis.judged)}", anchor)


def _percent(share: Fraction) -> str:
    return f"{round(share * 100)}%"


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _dashed(dash: str) -> str:
    return f' stroke-dasharray="{dash}"' if dash else ""


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="13"'
        f' fill="{_INK}">{escape(text)}</text>'
    )


def _picture(height: int, lines: Sequence[str], legend: Legend, font: str) -> str:
    keys = [
        *_key(height - 34, legend.rate, _COLOURS[0], _DASHES[0]),
        *_key(height - 34 + _LINE, legend.judged, _COLOURS[1], _DASHES[1]),
    ]
    inside = "\n".join([*lines, *keys])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img" font-family="{escape(font)}">\n'
        f"<title>{escape(legend.title)}</title>\n{inside}\n</svg>"
    )


def _key(y: int, name: str, colour: str, dash: str) -> Iterator[str]:
    yield (
        f'<line x1="40" y1="{y}" x2="70" y2="{y}" stroke="{colour}" stroke-width="2"'
        f"{_dashed(dash)}/>"
    )
    yield _text(78, y + 4, name, "start")
