"""The demo's register: invented systems of a county, their suppliers, records, risks, one task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.models.assessments import FAILING, Assessment
from audits.models.records import NewRecord, RecordFilter
from audits.models.rectification import TaskFilter
from audits.models.risks import RiskFacts, RiskFilter
from audits.service.rectification.tasks import NewTasks
from audits.service.risks.register import NewRisk, TreatmentPlan
from secops.bridges.house import House
from secops.kernel.clock import DAY, beijing_day
from secops.kernel.pages import PageRequest

PLATFORM: Final = "临江县政务服务平台(演示)"
PORTAL: Final = "临江县政府门户网站(演示)"
MEETINGS: Final = "临江县视频会议系统(演示)"
_UNIT: Final = {
    "unit": "临江县数据局(演示)",
    "unit_address": "临江县演示路 1 号",
    "security_department": "信息安全科",
    "industry": "政务服务",
}
_SYSTEMS: Final[Mapping[str, Mapping[str, str]]] = {
    PLATFORM: {
        **_UNIT,
        "s_level": "3",
        "a_level": "3",
        "owner": "李静(演示)",
        "domain": "政务服务",
        "filing_number": "演示-0003-0001",
        "data_grade": "important",
        "uses": "iam;kms;logs",
        "business": "面向全县群众和企业的一网通办: 申报、审批、电子证照",
        "service_scope": "全县",
        "hosting": "县政务机房 A 区",
        "algorithms": "SM2 签名、SM4 存储加密、SM3 完整性保护",
    },
    PORTAL: {
        **_UNIT,
        "s_level": "2",
        "a_level": "2",
        "owner": "陈斌(演示)",
        "domain": "信息公开",
        "filing_number": "演示-0002-0002",
        "data_grade": "1",
        "uses": "logs",
    },
    MEETINGS: {"s_level": "1", "a_level": "2", "owner": "赵岩(演示)", "domain": "办公"},
}
_DATES: Final[Mapping[str, Mapping[str, int]]] = {
    PLATFORM: {"filed_at": 400, "tested_at": 330},
    PORTAL: {"filed_at": 1_060, "tested_at": 500},
}
"""Days ago: one test and one filing end soon, and the third system was never filed."""
_ASSETS: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    PLATFORM: (
        {
            "name": "gov-gateway",
            "kind": "host",
            "importance": "5",
            "department": "运维科",
            "place": "A 机房 03 柜",
            "log_sources": "sshd.log;sudo.log",
        },
        {
            "name": "govdb-01",
            "kind": "database",
            "importance": "5",
            "department": "运维科",
            "place": "A 机房 04 柜",
            "data_grade": "important",
        },
    ),
    PORTAL: (
        {
            "name": "portal-web-01",
            "kind": "middleware",
            "importance": "3",
            "department": "宣传信息科",
            "place": "A 机房 02 柜",
            "log_sources": "nginx_access.log",
        },
    ),
    MEETINGS: ({"name": "mcu-01", "kind": "application", "importance": "2"},),
}
_RECORDS: Final = (
    ("training", "年度网络安全培训签到与考核(演示)", 40, ("L3-HRS1-07",)),
    ("drill", "勒索病毒应急演练记录(演示)", 340, ()),
)
"""Kind, title, how many days ago, items: the usual year of the drill ends within a month."""
_BACKUP: Final = RiskFacts(
    title="备份与业务库同网段",
    asset_name="govdb-01",
    threat="malware",
    weakness="备份服务器与业务库在同一网段并长期挂载,勒索时可能一并被加密",
    measures="每日全量备份,每周人工核对",
)
_SUPPLIER: Final = RiskFacts(
    title="运维厂商账户缺少定期复核",
    asset_name="gov-gateway",
    threat="supply",
    weakness="厂商人员更换后账户未及时复核",
)
_TASK_ITEM: Final = "L3-CES1-19"
"""What every demo home fails: no addresses are named from which administrators sign in."""

_ONE: Final = PageRequest(1)


def write_demo_register(house: House, assessment: Assessment) -> None:
    """Make what the pages of systems, records, risks and tasks show; each once."""
    systems = _make_systems(house)
    _make_access(house, systems[PLATFORM])
    _make_records(house, systems[PLATFORM])
    _make_risks(house, systems[PLATFORM])
    _make_task(house, assessment)


def _make_systems(house: House) -> Mapping[str, str]:
    """Return the systems' ids by name, those that were not there made with their assets."""
    keeper, here = house.act_as("system-admin"), house.audits.register
    systems = {one.name: one.id for one in here.systems.live_systems(keeper)}
    for name, fields in _SYSTEMS.items():
        if name not in systems:
            days = {field: _ago(house, days) for field, days in _DATES.get(name, {}).items()}
            made = here.systems.add_system(keeper, {"name": name, **fields, **days})
            systems[name] = made.id
        if not here.assets.list_assets(keeper, systems[name], _ONE).items:
            for asset in _ASSETS[name]:
                here.assets.add_asset(keeper, systems[name], asset)
    return systems


def _make_access(house: House, system_id: str) -> None:
    keeper, here = house.act_as("system-admin"), house.audits.register.suppliers
    if here.supplier_accesses_of(keeper, system_id):
        return
    access = {
        "supplier": "临江演示软件公司",
        "person": "王工(演示)",
        "purpose": "系统升级与故障处理",
        "approved_by": "李静(演示)",
        "starts_at": _ago(house, 60),
        "ends_at": _ago(house, -30),
    }
    here.add_supplier_access(keeper, system_id, access)


def _make_records(house: House, system_id: str) -> None:
    keeper, here = house.act_as("system-admin"), house.audits.records
    if here.list_records(keeper, RecordFilter(system_id=system_id), _ONE).items:
        return
    for kind, title, days, items in _RECORDS:
        new = NewRecord(
            kind=kind,
            title=title,
            held_on=_ago(house, days),
            filename=f"{kind}.txt",
            system_id=system_id,
            items=items,
        )
        here.add_record(keeper, new, f"{title}: 虚构内容,仅供演示。\n".encode())


def _make_risks(house: House, system_id: str) -> None:
    """Enter the risks that severe alerts show, and two in our own words, one under treatment."""
    analyst, here = house.act_as("analyst"), house.audits.rectification
    if here.risks.list_risks(analyst, RiskFilter(system_id=system_id), _ONE).items:
        return
    here.filling.fill_risks(analyst, system_id)
    here.risks.add_risk(analyst, NewRisk(_SUPPLIER, 3, 3, system_id))
    risk = here.risks.add_risk(analyst, NewRisk(_BACKUP, 3, 5, system_id))
    plan = TreatmentPlan(
        version=risk.version,
        treatment="reduce",
        plan="增设离线备份,备份网段与业务网段隔离",
        owner="system-admin",
        due_at=house.parts.clock.now() + 45 * DAY,
        residual_likelihood=2,
        residual_impact=3,
    )
    here.risks.treat_risk(analyst, risk.id, plan)


def _make_task(house: House, assessment: Assessment) -> None:
    """Make a task of one finding of the assessment, where it fails."""
    analyst, here = house.act_as("analyst"), house.audits.rectification.tasks
    failing = {one.item.id for one in assessment.verdicts if one.status in FAILING}
    if _TASK_ITEM not in failing or here.list_tasks(analyst, TaskFilter(), _ONE).items:
        return
    due_at = house.parts.clock.now() + 30 * DAY
    here.make_tasks(analyst, assessment.id, NewTasks("security-admin", (_TASK_ITEM,), due_at))


def _ago(house: House, days: int) -> str:
    """Return the day so many days ago, ahead where negative, as the register takes days."""
    return beijing_day(house.parts.clock.now() - days * DAY).isoformat()
