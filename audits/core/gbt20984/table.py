"""The table of risk levels and the kinds of threats, as data with their doubt.

GB/T 20984-2022 leaves the way of computing to the assessor (a matrix or a product are both
usual) and rates in five grades. We have not read its annexes: the cells below are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid

EDITION: Final = "GB/T 20984-2022"
VERSION: Final = "matrix-1"
GRADES: Final[Mapping[int, Text]] = {
    1: Text("很低", "very low"),
    2: Text("低", "low"),
    3: Text("中", "medium"),
    4: Text("高", "high"),
    5: Text("很高", "very high"),
}
MATRIX: Final[tuple[tuple[int, ...], ...]] = (
    (1, 1, 2, 2, 3),
    (1, 2, 2, 3, 4),
    (2, 2, 3, 4, 4),
    (2, 3, 4, 4, 5),
    (3, 4, 4, 5, 5),
)
"""The level of a risk: a row for each likelihood, 1 first, a column for each impact."""
CLOSABLE: Final = 2
"""The highest residual level that is closed without somebody accepting it: ours, by policy."""
DOUBT: Final = Text(
    "风险等级按本产品的 5×5 矩阵推算;GB/T 20984-2022 未规定唯一的计算方法,"
    "矩阵取值与可接受线属策略值,使用前请由本单位确认。",
    "Levels come from this product's 5×5 table: GB/T 20984-2022 prescribes no single way of "
    "computing. Its cells and the line of acceptance are policy; confirm them before use.",
)
THREATS: Final[Mapping[str, Text]] = {
    "intrusion": Text("网络攻击与入侵", "Attack and intrusion"),
    "malware": Text("恶意代码", "Malicious code"),
    "misuse": Text("越权或滥用", "Abuse of rights"),
    "leak": Text("泄密或数据外泄", "Disclosure of data"),
    "tampering": Text("篡改", "Tampering"),
    "repudiation": Text("抵赖", "Repudiation"),
    "operation": Text("操作失误或无作为", "Mistaken operation or omission"),
    "management": Text("管理不到位", "Lacking management"),
    "failure": Text("软硬件故障", "Failure of hardware or software"),
    "physical": Text("物理环境影响与物理攻击", "Physical environment or attack"),
    "supply": Text("供应链问题", "Supply chain"),
}
"""Kinds of threats in our words; the standard's own list was not read."""


def level_of(likelihood: int, impact: int) -> int:
    """Return the level for two ratings from 1 to 5; raise ``Invalid`` for others."""
    if likelihood not in GRADES or impact not in GRADES:
        raise Invalid("likelihood and impact are rated from 1 to 5")
    return MATRIX[likelihood - 1][impact - 1]


def known_threat(code: str) -> str:
    """Return ``code`` if there is such a kind of threat; raise ``Invalid`` otherwise."""
    if code not in THREATS:
        raise Invalid(f"kinds of threats are {', '.join(THREATS)}")
    return code
