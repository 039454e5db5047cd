"""The verdict on a sealed file as a document of its own, and what to do about each "no"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.models.seals import VerificationReport, What
from secops.kernel.catalogue import Text

STEP_NAMES: Final[dict[What, Text]] = {
    "structure": Text("格式", "structure"),
    "digest": Text("原文摘要", "digest"),
    "range": Text("保护范围", "protected range"),
    "signature": Text("签章签名值", "signature"),
    "signer_listed": Text("签章人在证书列表", "signer listed"),
    "seal_signature": Text("印章签名值", "seal signature"),
    "seal_maker": Text("制章者证书", "seal maker"),
    "chain": Text("证书链", "chain"),
    "validity": Text("有效期", "validity"),
    "revocation": Text("吊销状态", "revocation"),
    "timestamp": Text("时间戳", "time-stamp"),
    "policy": Text("策略", "policy"),
}

REMEDIES: Final[dict[What, Text]] = {
    "structure": Text(
        "请签章人重新提供文件;勿经会改写文件的软件转存。",
        "Ask the signer for the file again, not saved anew by other software.",
    ),
    "digest": Text(
        "文件或原文在签章后变动,请取得签章时的原件。",
        "The content is not what was sealed: get the original.",
    ),
    "range": Text(
        "只可信赖受保护的部分;请签章人对完整文件重新签章。",
        "Trust only what is protected; have the whole file sealed again.",
    ),
    "signature": Text(
        "不可信赖;请与签章单位核实。", "Don't trust it; ask the organisation that sealed it."
    ),
    "signer_listed": Text(
        "签章人无权使用该印章,请与印章所有单位核实。",
        "The signer may not use this seal: ask the seal's owner.",
    ),
    "seal_signature": Text(
        "印章系伪造或损坏,请与制章单位核实。", "The seal is forged or broken: ask who made it."
    ),
    "seal_maker": Text(
        "请确认制章者证书,并在信任后将其根证书设为信任锚。",
        "Check the maker's certificate; configure its root as an anchor if you trust it.",
    ),
    "chain": Text(
        "如信任签发机构,请将其根证书设为信任锚后重新验证。",
        "If you trust the issuer, configure its root as an anchor and verify again.",
    ),
    "validity": Text(
        "签章时间不在有效期内,请重新签章。",
        "Sealed outside the time in which it counts: have it sealed again.",
    ),
    "revocation": Text(
        "提供签发机构的最新吊销列表;已吊销的,请重新签章。",
        "Give the issuer's current revocation list; where it is revoked, have it sealed again.",
    ),
    "timestamp": Text(
        "签章时间没有可信证明;需要时请签章人附加时间戳。",
        "Nothing proves the time; ask for a time-stamp where it matters.",
    ),
    "policy": Text(
        "所用算法、密钥用途或印章状态不被接受,请换用合规印章重新签章。",
        "Its algorithm, key usage or state is not accepted: have it sealed by another seal.",
    ),
}
"""What helps where a step is false or could not be judged."""


@dataclass(frozen=True, slots=True)
class FileDigests:
    """Which file was judged: ``size`` in bytes, digests in lower-case hex."""

    size: int
    sm3: str
    sha256: str


@dataclass(frozen=True, slots=True)
class VerdictPage:
    """What a verdict's document says.

    ``document`` is what a detached value was put on, None where none was given; ``judged_at``
    is UTC microseconds; ``anchors`` are the names of the roots that were believed.
    """

    report: VerificationReport
    file: FileDigests
    document: FileDigests | None
    judged_at: int
    instance: str
    anchors: tuple[str, ...]
