"""The words on the pages of an archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from secops.kernel.catalogue import Text

WORDS: Final[Mapping[str, Text]] = {
    "archive": Text("核查归档", "Archive of the assessment"),
    "system": Text("系统", "System"),
    "level": Text("级别", "Level"),
    "edition": Text("依据", "Against"),
    "made": Text("生成", "Made"),
    "coverage": Text("核查覆盖", "Coverage"),
    "kinds": Text("自动 / 半自动 / 人工", "Automatic / half / manual"),
    "score": Text("得分(推算)", "Score (estimate)"),
    "rate": Text("符合率(推算,严格)", "Rate (estimate, strict)"),
    "conclusion": Text("结论", "Conclusion"),
    "none": Text("未给出", "none given"),
    "reports": Text("报告文件", "Reports"),
    "verify": Text("校验", "Verification"),
    "how": Text(
        "在任何装有 Python 3.11 的计算机上离线运行:",
        "On any computer with Python 3.11, offline:",
    ),
    "kept_keys": Text(
        "密钥文件 vkeys 应来自归档之外:能改动归档的人也能改动其中的密钥。",
        "Take the file of keys from elsewhere: who can change the archive can change its keys.",
    ),
    "all_items": Text("测评项", "Items"),
    "item": Text("编号", "Id"),
    "point": Text("控制点", "Control point"),
    "requirement": Text("要求(释义)", "Requirement (paraphrase)"),
    "status": Text("结果", "Result"),
    "judge": Text("判定", "Judged by"),
    "reason": Text("依据与说明", "Why"),
    "clause": Text("条款", "Clause"),
    "objects": Text("核查对象", "Objects"),
    "whole": Text("整体", "the whole"),
    "observations": Text("观察", "Observations"),
    "expected": Text("期望", "Expected"),
    "seen": Text("实际", "Seen"),
    "evidence": Text("证据", "Evidence"),
    "no_evidence": Text("无机器证据", "No machine evidence"),
    "gone": Text("未包含在归档中", "not in the archive"),
    "other": Text("不是文本,见文件", "Not text: see the file"),
    "previous": Text("上一项", "Previous"),
    "next": Text("下一项", "Next"),
    "index": Text("目录", "Index"),
    "machine": Text("机器", "machine"),
    "person": Text("人员", "person"),
    "nobody": Text("—", "—"),
}
