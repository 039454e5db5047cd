"""The eight layers of GB/T 39786-2021 and their weights in the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from audits.models.calculations import Side
from audits.models.catalogue import Item
from secops.kernel.catalogue import Text


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: its clause in GB/T 43206-2023 and its weight of 100."""

    code: str
    name: Text
    clause: str
    side: Side
    weight: int


LAYERS: Final[Mapping[str, Layer]] = {
    layer.code: layer
    for layer in (
        Layer("PHY", Text("物理和环境", "Physical environment"), "6.1", "technical", 10),
        Layer("NET", Text("网络和通信", "Network and communication"), "6.2", "technical", 20),
        Layer("DEV", Text("设备和计算", "Devices and computing"), "6.3", "technical", 10),
        Layer("APP", Text("应用和数据", "Applications and data"), "6.4", "technical", 30),
        Layer("MGT", Text("管理制度", "Management rules"), "7.1", "management", 8),
        Layer("STF", Text("人员管理", "Staff"), "7.2", "management", 8),
        Layer("CON", Text("建设运行", "Construction and operation"), "7.3", "management", 8),
        Layer("EMR", Text("应急处置", "Emergencies"), "7.4", "management", 6),
    )
}
"""By code; the weights are of the 量化评估规则 (2023), read in two public programs."""


def has_axes(item: Item) -> bool:
    """Tell whether an item is a unit of a technical layer: judged by D, A and K of its objects."""
    layer = LAYERS.get(item.class_code)
    return layer is not None and layer.side == "technical"
