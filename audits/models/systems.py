"""Systems under protection and the assets they consist of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from secops.kernel.catalogue import Text

SOON_DAYS: Final = 60
"""How long before its end something counts as ending soon: a policy value of ours."""
THIS_INSTANCE: Final = "this"
"""The id of the platform's own system, which needs no registration."""

MAX_TABLE_FILE: Final = 8 << 20
MAX_TABLE_COLUMNS: Final = 80
MAX_TABLE_SHEETS: Final = 10
"""Bounds of a file of the register: bytes, columns of a sheet, sheets."""

AssetKind = Literal["host", "database", "middleware", "application", "network", "security", "key"]
ASSET_KINDS: Final[dict[AssetKind, Text]] = {
    "host": Text("服务器与终端", "Hosts"),
    "database": Text("数据库", "Databases"),
    "middleware": Text("中间件", "Middleware"),
    "application": Text("业务应用", "Applications"),
    "network": Text("网络设备", "Network devices"),
    "security": Text("安全设备", "Security devices"),
    "key": Text("密码设备", "Cryptographic devices"),
}
PlatformService = Literal["iam", "kms", "logs"]
PLATFORM_SERVICES: Final[dict[PlatformService, Text]] = {
    "iam": Text("统一身份认证", "Identity"),
    "kms": Text("密码服务", "Key pool"),
    "logs": Text("日志与检测", "Logs and detection"),
}
"""What a registered system may use of this platform, so that its state counts for it."""

EXTENSIONS: Final[dict[str, Text]] = {
    "cloud": Text("云计算", "Cloud"),
    "mobile": Text("移动互联", "Mobile"),
    "iot": Text("物联网", "Internet of things"),
    "ics": Text("工业控制", "Industrial control"),
}
DATA_GRADES: Final[dict[str, Text]] = {
    "1": Text("一般数据 1 级", "General data, level 1"),
    "2": Text("一般数据 2 级", "General data, level 2"),
    "3": Text("一般数据 3 级", "General data, level 3"),
    "4": Text("一般数据 4 级", "General data, level 4"),
    "important": Text("重要数据", "Important data"),
    "core": Text("核心数据", "Core data"),
}
"""Grades of GB/T 43697-2024, lowest first, in the words that log sources are graded with."""

FILING_DETAILS: Final[dict[str, Text]] = {
    "unit": Text("备案单位", "Filing unit"),
    "unit_code": Text("统一社会信用代码", "Unified social credit code"),
    "unit_address": Text("单位地址", "Address of the unit"),
    "unit_head": Text("单位负责人", "Head of the unit"),
    "security_department": Text("责任部门", "Department in charge"),
    "contact": Text("责任部门联系人", "Contact person"),
    "contact_phone": Text("联系电话", "Telephone"),
    "industry": Text("行业类别", "Industry"),
    "authority": Text("备案机关", "Authority filed with"),
    "business": Text("业务描述", "What the system does"),
    "service_scope": Text("服务范围", "Area served"),
    "service_users": Text("服务对象", "Who is served"),
    "network": Text("网络性质与覆盖范围", "Network and its reach"),
    "connections": Text("系统互联情况", "Connections to other systems"),
    "hosting": Text("部署方式与机房", "Hosting and rooms"),
    "products": Text("关键产品与服务", "Key products and services"),
    "running_since": Text("投入运行日期", "In operation since"),
    "graded_on": Text("定级日期", "Graded on"),
    "s_harm": Text("业务信息受破坏时侵害的客体与程度", "Whom harm to the information meets"),
    "a_harm": Text("系统服务受破坏时侵害的客体与程度", "Whom harm to the service meets"),
    "expert_review": Text("专家评审情况", "Expert review"),
    "superior": Text("主管部门及审批情况", "Superior authority and its approval"),
    "assessor": Text("测评机构", "Assessment organisation"),
    "algorithms": Text("密码应用情况", "Use of cryptography"),
}
"""What a system's filing data sheet holds besides the register's own columns.

The fields are ours: the authority's form of 2025 was not read, so the sheet names itself a
data sheet and never the form.
"""
PERSONAL_DETAILS: Final = frozenset({"unit_head", "contact", "contact_phone"})
"""Details that name persons: the ledger says that they changed, not to what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A graded system. ``level`` is max(``s_level``, ``a_level``) (GB/T 22240-2020).

    Empty texts and 0 say that something is not known. ``filed_at`` is the instant of filing,
    ``tested_at`` that of the last test by an assessment organisation (UTC microseconds).
    ``uses`` says which services of the platform its state may be read from. ``extensions`` are
    of ``EXTENSIONS``, ``details`` by ``FILING_DETAILS``. Version 0 is in no store: the platform
    itself before anybody registered it.
    """

    id: str
    org_id: str
    name: str
    level: int
    s_level: int
    a_level: int
    owner: str = ""
    domain: str = ""
    filing_number: str = ""
    filed_at: int = 0
    data_grade: str = ""
    extensions: tuple[str, ...] = ()
    uses: tuple[PlatformService, ...] = ()
    version: int = 1
    tested_at: int = 0
    details: Mapping[str, str] = field(default_factory=dict)
    retired_at: int = 0
    retired_reason: str = ""

    @property
    def sag(self) -> str:
        """Return its grading as it is written: ``S3A2G3``."""
        return f"S{self.s_level}A{self.a_level}G{self.level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An object of a system.

    ``importance`` goes from 1 (ordinary) to 5, 0 is unknown; ``log_sources`` are names of the
    log sources that carry its lines; ``measures`` is how it is looked after for its importance.
    """

    id: str
    org_id: str
    system_id: str
    name: str
    kind: AssetKind
    address: str = ""
    importance: int = 0
    department: str = ""
    place: str = ""
    data_grade: str = ""
    log_sources: tuple[str, ...] = ()
    version: int = 1
    owner: str = ""
    product: str = ""
    measures: str = ""
    retired_at: int = 0
    retired_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierAccess:
    """What somebody from outside may reach: from whom, who, for what, from when until when.

    ``account`` is the name of the account it is done with, if it is one of ours; ``approved_by``
    who allowed it. Instants are UTC microseconds; ``ended_at`` 0 is not ended before its time.
    """

    id: str
    org_id: str
    system_id: str
    supplier: str
    person: str
    purpose: str
    starts_at: int
    ends_at: int
    account: str = ""
    approved_by: str = ""
    ended_at: int = 0
    version: int = 1


AccessState = Literal["coming", "current", "expired", "ended"]
ACCESS_STATES: Final[dict[AccessState, Text]] = {
    "coming": Text("未开始", "Not begun"),
    "current": Text("有效", "In force"),
    "expired": Text("已到期", "Expired"),
    "ended": Text("已终止", "Ended"),
}
RegisterKind = Literal["system", "asset", "supplier_access"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterVersion:
    """A version of something in the register, as it stood then; ``content`` holds its fields."""

    org_id: str
    kind: RegisterKind
    object_id: str
    version: int
    at: int
    by: str
    action: str
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an assessment is of: a system and its assets."""

    system: System
    assets: tuple[Asset, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A log source as the detectors know it; ``grade`` is "" where nobody graded it."""

    name: str
    registered: bool
    silent: bool
    last_at: int | None
    grade: str


@dataclass(frozen=True, slots=True)
class ClaimedSource:
    """A name that assets claim as their log source, and what is known under it, None if nothing."""

    name: str
    known: KnownSource | None
    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """Log sources and assets, both ways; ``readable`` False where sources could not be read."""

    sources: tuple[ClaimedSource, ...]
    silent_assets: tuple[Asset, ...]
    readable: bool = True
