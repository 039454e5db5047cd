"""The words of reports, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from secops.kernel.catalogue import Text

WORDS: Final[Mapping[str, Text]] = {
    # first page
    "object": Text("核查对象", "System"),
    "this_instance": Text("本平台实例", "this instance"),
    "level": Text("级别", "Level"),
    "filing": Text("备案号", "Filing number"),
    "filed_at": Text("备案时间", "Filed on"),
    "owner": Text("运营单位", "Owner"),
    "domain": Text("业务领域", "Domain"),
    "data_grade": Text("数据级别", "Data grade"),
    "edition": Text("依据与版本", "Standard and edition"),
    "outline": Text("章节次序", "Order of chapters"),
    "made": Text("生成", "Made"),
    "kinds": Text("条目构成", "Items"),
    "kinds_value": Text(
        "共 {all} 项:可自动判定 {auto} · 半自动 {semi} · 仅人工 {manual}",
        "{all}: automatic {auto} · half {semi} · manual {manual}",
    ),
    "judged_by": Text("本次判定", "Judged this time"),
    "judged_by_value": Text(
        "机器 {machine} · 人员 {person} · 未判定 {nobody}",
        "by a machine {machine} · by persons {person} · by nobody {nobody}",
    ),
    "coverage": Text("核查覆盖", "Coverage"),
    "coverage_value": Text(
        "{judged} / {applicable} 适用项({percent});未核查 {unassessed}",
        "{judged} / {applicable} applicable items ({percent}); not assessed: {unassessed}",
    ),
    "rate": Text("符合率", "Rate"),
    "rate_value": Text(
        "严格计 {strict} · 加权计 {weighted}", "strict {strict} · weighted {weighted}"
    ),
    "estimate": Text("推算", "estimate"),
    "majors": Text("重大风险隐患", "Major risks"),
    "majors_value": Text("{found}({rectified}个已整改)", "{found} ({rectified} rectified)"),
    "conclusion": Text("结论", "Conclusion"),
    "no_conclusion": Text(
        "尚有未核查项,不给出结论", "items are not assessed yet: no conclusion is given"
    ),
    "proof": Text(
        "本文件的真实性由同名 .proof 文件证明:secops audits verify-report 文件",
        "The .proof file beside it proves this file: secops audits verify-report FILE",
    ),
    "results": Text("结果", "Results"),
    # statement
    "own_check": Text(
        "本报告是系统运营者的自查与差距分析,不含任何测评机构的名称、编号或印章。",
        "This is the operator's own check and gap analysis; it bears no assessor's name or seal.",
    ),
    "unassessed_rule": Text(
        "未核查的条目既不计为符合,也不计为不适用,只降低核查覆盖。",
        "Items not assessed count neither as compliant nor as not applicable: coverage falls.",
    ),
    "derived_rule": Text(
        "带 † 的编号由顺序推得,不是官方编号;引用时以条款号为准。",
        "Ids marked † were derived by order and are not official: the clause is the key.",
    ),
    "paraphrase_rule": Text(
        "要求一栏为释义,不是标准原文。", "Requirements are paraphrased, not the standard's text."
    ),
    # project
    "purpose": Text(
        "目的:对照标准逐项核查现状,找出差距,安排整改。",
        "Purpose: to hold the present state against each item, find gaps and plan their mending.",
    ),
    "method_auto": Text(
        "方法:自动核查读取平台与资产的实际状态;半自动与人工条目由具名人员判定并附证据。"
        "机器只能提出符合,由人员确认。",
        "Method: automatic checks read real state; half and manual items are judged by named"
        " persons with evidence. A machine only proposes 'compliant'; a person confirms it.",
    ),
    "period": Text("证据时段", "Period of evidence"),
    "population": Text("核查总体", "Population"),
    "population_value": Text("登记资产 {assets} 个,全部纳入", "{assets} registered assets, all"),
    "value_rule": Text(
        "条目取值为各对象的平均(符合 1、部分符合 0.5、不符合 0),不适用不计入。",
        "An item's value is the mean of its objects (1, 0.5, 0); not applicable is left out.",
    ),
    "overall_rule": Text(
        "条目之间、层面之间能否相互弥补需由人员判断,本报告不自动弥补;已批准的例外见整改一章。",
        "Whether items make up for each other is for persons to judge: nothing is made up here."
        " Approved waivers stand in the chapter on rectification.",
    ),
    "extensions_rule": Text(
        "扩展要求(云计算、移动互联、物联网、工业控制)未纳入本次核查时,不在计数之内。",
        "Extended requirements (cloud, mobile, IoT, ICS) are not counted unless they are listed.",
    ),
    "cloud_rule": Text(
        "云计算平台的符合情况由平台方提供,本报告不代其判定。",
        "What a cloud platform complies with is stated by its operator, not by this report.",
    ),
    # tables
    "class": Text("类别", "Class"),
    "class_judged": Text("已核查 / 适用", "Judged / applicable"),
    "number": Text("编号 / 条款", "Id / clause"),
    "point": Text("控制点", "Control point"),
    "requirement": Text("测评项(释义)", "Requirement (paraphrase)"),
    "object_name": Text("对象", "Object"),
    "record": Text("结果记录", "Record"),
    "status": Text("符合情况", "Result"),
    "evidence": Text("证据", "Evidence"),
    "judge": Text("判定", "Judged by"),
    "value": Text("取值", "Value"),
    "machine": Text("机器", "machine"),
    "machine_proposed": Text("机器提出,待人员确认", "proposed by a machine, to be confirmed"),
    "nobody": Text("未判定", "nobody"),
    "total": Text("合计", "Total"),
    "advice": Text("整改任务", "Tasks"),
    "none": Text("无", "None"),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "case": Text("判例", "Case"),
    "state": Text("状态", "State"),
    "condition": Text("条件", "Only if"),
    "may_lower": Text("可缓解措施", "May be lowered by"),
    "confirmed_by": Text("确认人", "Confirmed by"),
    "trigger": Text("触发项", "Trigger"),
    "reason": Text("说明", "Why"),
    "calculation": Text("计算", "Calculation"),
    "applies": Text("适用于本报告日期", "Applies at this date"),
    "figures": Text("数值", "Figures"),
    "parameters": Text("参数", "Parameters"),
    "doubts": Text("疑点", "Doubts"),
    "address": Text("地址", "Address"),
    "importance": Text("重要程度", "Importance"),
    "department": Text("部门", "Department"),
    "place": Text("位置", "Place"),
    "kind": Text("类型", "Kind"),
    "name": Text("名称", "Name"),
    "count": Text("数量", "Number"),
    "evidence_count": Text("证据数", "Evidence"),
    "digest": Text("SHA-256", "SHA-256"),
    "taken_at": Text("取证时间", "Taken at"),
    "source": Text("来源", "Source"),
    "items": Text("条目", "Items"),
    "before": Text("上次", "Before"),
    "after": Text("本次", "Now"),
    "fact": Text("事实", "Fact"),
    "radar": Text("各类符合率与核查覆盖", "Rate and coverage by class"),
    "trend": Text("历次自查", "Earlier assessments"),
    "radar_rate": Text("符合率(推算,严格计)", "Rate (estimate, strict)"),
    "radar_judged": Text("核查覆盖", "Coverage"),
    "delta": Text("与上次({against},{made_at})相比的变化", "Changed since {against} ({made_at})"),
    "last_problems": Text("上次的问题现状", "Problems of the last time"),
    "no_delta": Text("没有上一次同类自查可比。", "There is no earlier assessment to compare with."),
    "no_change": Text(
        "与上次({against},{made_at})相比没有变化。", "Nothing changed since {against} ({made_at})."
    ),
    "high_risks": Text("高风险判例", "High-risk cases"),
    "no_high": Text(
        "未发现与高风险判例对应的不符合项;未核查的条目不在此列。",
        "No failing item has a high-risk case; items not assessed are not among them.",
    ),
    "no_majors": Text(
        "没有由人员认定的重大风险隐患;需相关性、严重性、高发性三项均由人员勾选。",
        "No major risk was found by a person: relevance, severity and frequency must all be.",
    ),
    "risk_register": Text("风险登记(GB/T 20984-2022)", "Risk register (GB/T 20984-2022)"),
    "tasks": Text("整改任务", "Rectification tasks"),
    "waivers": Text("例外(含已到期)", "Waivers (expired ones too)"),
    "records": Text("证据记录", "Evidence records"),
    "gaps": Text("差距", "Gaps"),
    "all_items": Text("全部条目", "All items"),
    "more_rows": Text("另有 {left} 行未列出,见 XLSX 或 JSON", "{left} more rows: see XLSX or JSON"),
    "more_objects": Text("另有 {left} 个对象未列出,见 XLSX", "{left} more objects: see XLSX"),
    "objects_line": Text("对象 {all} 个:{counts}", "{all} objects: {counts}"),
    "annex": Text("附录 {letter} {heading}", "Annex {letter} {heading}"),
    "figure_words": Text(
        "{label}:符合率 {rate},覆盖 {judged}", "{label}: rate {rate}, coverage {judged}"
    ),
    # spreadsheets
    "summary": Text("汇总", "Summary"),
    "objects": Text("对象结果", "Objects"),
    "high_sheet": Text("高风险", "High risks"),
    "major_sheet": Text("重大隐患", "Major risks"),
    "rectification": Text("整改", "Rectification"),
    "waiver_sheet": Text("例外", "Waivers"),
    "not_applicable_sheet": Text("不适用", "Not applicable"),
    "assets": Text("资产", "Assets"),
    "evidence_sheet": Text("证据索引", "Evidence"),
    "statistics": Text("统计", "Statistics"),
    "risk_sheet": Text("风险", "Risks"),
    "record_sheet": Text("证据记录", "Records"),
    "calculation_sheet": Text("计算", "Calculations"),
    "clause": Text("条款", "Clause"),
    "id": Text("编号", "Id"),
    "official": Text("官方编号", "Official id"),
    "assess": Text("核查方式", "Way of checking"),
    "auto": Text("自动", "automatic"),
    "semi": Text("半自动", "half"),
    "manual": Text("人工", "manual"),
    "effective": Text("D 使用有效", "D effective"),
    "algorithm": Text("A 算法", "A algorithm"),
    "keys": Text("K 密钥", "K keys"),
    "unit": Text("单元", "Unit"),
}

ROW_NAMES: Final[Mapping[str, Text]] = {
    "id": Text("编号", "Id"),
    "item": Text("条目", "Item"),
    "title": Text("标题", "Title"),
    "owner": Text("责任人", "Owner"),
    "due_at": Text("期限", "Due"),
    "deadline": Text("期限", "Due"),
    "state": Text("状态", "State"),
    "status": Text("状态", "State"),
    "reason": Text("理由", "Reason"),
    "requested_by": Text("申请人", "Requested by"),
    "approved_by": Text("批准人", "Approved by"),
    "approver": Text("批准人", "Approved by"),
    "expires_at": Text("到期", "Expires"),
    "expired": Text("已到期", "Expired"),
    "kind": Text("类型", "Kind"),
    "held_at": Text("日期", "Held"),
    "sha256": Text("SHA-256", "SHA-256"),
    "digest": Text("SHA-256", "SHA-256"),
    "threat": Text("威胁", "Threat"),
    "weakness": Text("脆弱性", "Weakness"),
    "asset": Text("资产", "Asset"),
    "level": Text("等级", "Level"),
    "treatment": Text("处置", "Treatment"),
    "proof": Text("证明", "Proof"),
    "closed_at": Text("关闭", "Closed"),
    "created_at": Text("创建", "Created"),
    "opened_at": Text("创建", "Created"),
    "likelihood": Text("可能性", "Likelihood"),
    "impact": Text("影响", "Impact"),
    "source": Text("来源", "Source"),
    "object": Text("对象", "Object"),
    "person": Text("人员", "Person"),
    "note": Text("备注", "Note"),
}
"""Headings for the rows that other registers give; another name stands as it is."""
