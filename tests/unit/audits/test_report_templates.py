"""An office's own templates: tried in a sandbox, refused with the place, versioned, used."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from docx import Document
from jinja2 import StrictUndefined, TemplateError

from audits.adapters.rendering import Renderer, own_templates
from audits.adapters.rendering.office import DEFAULT
from audits.adapters.rendering.own_pages import page_faults, write_page
from audits.adapters.rendering.packages import package_faults
from audits.adapters.rendering.sandbox import Faults, Sandbox, collecting
from audits.adapters.rendering.trying import fill_template, try_template
from audits.core.oscal import OSCAL
from audits.core.report_parts import read_pdf
from audits.errors import (
    ChangedMeanwhile,
    TemplateNotFound,
    TemplateRejected,
    TooManyKept,
)
from audits.models.forms import Form
from audits.service.reports import templates as service_module
from audits.service.reports.templates import BUILT_IN, MAX_TEMPLATE, ReportTemplateService
from audits.store.templates import DatabaseReportTemplates
from secops.adapters.spine import Spine
from secops.adapters.typesetting import FONTS
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Forbidden, Invalid, NotFound, TooLarge
from secops.kernel.pages import PageRequest, page_request
from secops.web.messages import Request
from tests.fakes.parts import database_spine
from tests.fakes.report_documents import hostile_document, report_document, short
from tests.fakes.report_house import ReportHouse, report_house

needs_font = pytest.mark.skipif(
    not any(font.is_file() for font in FONTS), reason="no Chinese font (fonts-wqy-microhei)"
)
ADMIN = Actor("account", "acc_aa", ROOT_ORG, "审计管理员", frozenset({"audit-admin"}), level=2)
AUDITOR = Actor("account", "acc_a", ROOT_ORG, "审计员", frozenset({"auditor"}), level=2)
STRANGER = Actor("account", "acc_b", "org_other", "他人", frozenset({"audit-admin"}), level=2)
OWN = """<!doctype html>
<html><head><title>{{ title }}</title><style>td { border: 1px solid #ccc; }</style></head>
<body><h1>{{ title }}</h1>
<p>{{ disclaimer }} {{ edition }} {{ coverage }} ({{ estimate }})</p>
{{ radar }}
{% for class in classes %}<h2>{{ class.title }}</h2>
<table>{% for item in class.items %}<tr data-item="{{ item.id }}"><td>{{ item.id }}</td>
<td>{{ item.status }} {{ item.reason }}</td></tr>{% endfor %}</table>{% endfor %}
</body></html>"""


@pytest.fixture(scope="module")
def sample() -> list[tuple[dict[str, Any], dict[str, bytes]]]:
    renderer = Renderer(OSCAL, read_pdf)
    return [renderer._report(report_document(), "html", "zh")]  # type: ignore[list-item]


def faults_of(source: str, sample: Any) -> list[str]:
    return try_template("html", source.encode(), sample)[0]


def test_a_page_of_an_office_is_filled_and_may_run_nothing(sample: Any) -> None:
    assert faults_of(OWN, sample) == []
    hostile = Renderer(OSCAL, read_pdf)._report(hostile_document(), "html", "zh")
    faults, made = fill_template("html", OWN.encode(), hostile)
    assert faults == []
    page = made.decode()
    assert "default-src 'none'" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert page.count("data-item") == 211


def test_unknown_fields_are_all_named_with_their_place(sample: Any) -> None:
    broken = OWN.replace("{{ radar }}", "{{ titel }}\n{{ system.nmae }} {{ classes[0].zip.zap }}")
    found = faults_of(broken, sample)
    assert [re.sub(r" \(.*\)", "", fault) for fault in found] == [
        "template line 5: no field 'titel'",
        "template line 6: no field 'nmae'",
        "template line 6: no field 'zip'",
        "template line 6: no field 'zap'",
    ]
    assert "{{ titel }}" in found[0]


@pytest.mark.parametrize(
    ("put", "why"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "no field '__class__'"),
        ("{{ title.format(title) }}", "no field 'format'"),
        ("{{ title|safe }}", "No filter named 'safe'"),
        ("{{ title|attr('__class__') }}", "No filter named 'attr'"),
        ("{{ items|map(attribute='id')|list }}", "No filter named 'map'"),
        ("{% autoescape false %}{{ title }}{% endautoescape %}", "may not"),
        ("{% include '/etc/passwd' %}", "may not include"),
        ("{% import 'x' as y %}", "may not import"),
        ("{% extends 'x' %}", "may not extends"),
        ("{% for c in chapters recursive %}{{ loop(chapters) }}{% endfor %}", "not be recursive"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested or grows"),
        ("{{ 'x' * 999999999 }}", "for numbers"),
        ("{{ 9 ** 999999999 }}", "for numbers"),
        ("{{ '%999999999d' % 1 }}", "for numbers"),
        ("{{ range(9) }}", "range"),
        ("{{ lipsum() }}", "lipsum"),
        ("{{ cycler.__init__.__globals__ }}", "cycler"),
        ("{{ title['format'](title) }}", "no field 'format'"),
        ("{{ title[0:3] }}{{ chapters[99].x }}", "no field '99'"),
        ("{{ title", "expected token"),
        ("{% if %}", "line 5"),
        ("<script>alert(1)</script>", "<script> is refused"),
        ("<p onclick='x'>y</p>", "onclick is refused"),
        ("<a href='javascript:alert(1)'>y</a>", "href is refused"),
        ("<img src='https://x.example/y.png'/>", "src is refused"),
        ("<img src='data:image/svg+xml;base64,AA=='/>", "src is refused"),
        ("<iframe></iframe>", "<iframe> is refused"),
        ("<svg><foreignObject></foreignObject></svg>", "foreignObject> is refused"),
        ("<style>p { background: url(//x) }</style>", "reaches outside"),
        ("<p style='width: expression(1)'>y</p>", "style is refused"),
        ("<title><b>y</b></title>", "holds elements"),
        ("<!-- x -->", "comments"),
        ("<![CDATA[ x ]]>", "CDATA"),
        ("<p>y", "not well-formed"),
        ("&nbsp;", "not well-formed"),
        ("<p>等级测评报告</p>", "does not say 等级测评报告"),
        ("<p>本系统已通过测评</p>", "does not say 通过"),
        ("<p>合规</p>", "does not say 合规"),
    ],
)
def test_what_a_template_may_not_is_refused_with_the_reason(
    put: str, why: str, sample: Any
) -> None:
    found = faults_of(OWN.replace("{{ radar }}", put), sample)
    assert any(why in fault for fault in found), found


def test_a_script_that_only_the_real_report_would_have_is_refused_there(sample: Any) -> None:
    sly = OWN.replace(
        "{{ radar }}", "{% if document_id != 'asm_sample' %}<script>1</script>{% endif %}"
    )
    assert faults_of(sly, sample) == []
    real = Renderer(OSCAL, read_pdf)._report(report_document() | {"id": "asm_real"}, "html", "zh")
    assert fill_template("html", sly.encode(), real)[0] == ["line 5: <script> is refused"]
    hidden = OWN.replace(
        "{{ coverage }}", "{% if document_id == 'asm_sample' %}{{ coverage }}{% endif %}"
    )
    assert faults_of(hidden, sample) == []
    (fault,) = fill_template("html", hidden.encode(), real)[0]
    assert fault == "the report does not say {{ coverage }}"


@pytest.mark.parametrize("name", ["title", "disclaimer", "coverage"])
def test_what_every_report_says_can_not_be_left_out(name: str, sample: Any) -> None:
    source = OWN.replace(f"{{{{ {name} }}}}", "")
    assert f"the report does not say {{{{ {name} }}}}" in faults_of(source, sample)


def test_a_page_that_is_no_text_or_has_no_head_is_refused(sample: Any) -> None:
    assert "UTF-8" in try_template("html", b"\xff\xfe", sample)[0][0]
    assert list(page_faults("<html><body></body></html>")) == [
        "it needs <head>, in which the policy against scripts is put"
    ]
    fields = {"radar": "", "trend": "", "title": "<b>&\"'`]]>--<!--"}
    page = write_page("<html><head></head><body>{{ title }}</body></html>", fields)
    assert list(page_faults(page)) == []


def test_the_sandbox_adds_numbers_and_short_texts() -> None:
    environment = Sandbox(Faults(), StrictUndefined)
    assert environment.from_string("{{ 2 * 3 + 1 }}{{ 'a' + 'b' }}").render() == "7ab"
    with pytest.raises(TemplateError):
        environment.from_string("{{ a + a }}").render(a="x" * 60_000)
    faults = Faults()
    str(collecting(faults)(name="outside"))
    assert list(faults.found) == ["template line 0 (): no field 'outside'"]


def repacked(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Return our template with its members changed."""
    with zipfile.ZipFile(DEFAULT) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def member(name: str, content: bytes) -> bytes:
    return repacked(lambda members: members.update({name: content}))


OUTSIDE = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="r1" Type="x/attachedTemplate" Target="http://x.example/t.dotm"'
    b' TargetMode="External"/></Relationships>'
)
WORD = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK", "no sound DOCX"),
        (b"\0" * (4 << 20) + b"x", "larger"),
        (member("word/vbaProject.bin", b"x"), "vbaProject"),
        (member("word/embeddings/a.bin", b"x"), "embeddings"),
        (member("../x.xml", b"<x/>"), "../x.xml"),
        (member("WORD/Document.xml", b"<x/>"), "one twice"),
        (repacked(lambda members: members.pop("word/document.xml", b"") and None), "no word"),
        (member("word/_rels/settings.xml.rels", OUTSIDE), "http://x.example/t.dotm"),
        (member("word/a.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), "document type"),
        (member("word/a.xml", b"<x"), "word/a.xml"),
        (member("word/a.xml", b'<x a="' + b"y" * (5 << 20) + b'"/>'), "larger than"),
        (member("word/a.xml", bytes(30 << 20)), "unpacks to more"),
        (member("word/a.xml", b"<w:p " + WORD + b"><w:instrText>DDEAUTO c:\\x</w:instrText></w:p>"),
         "DDEAUTO"),
        (member("word/a.xml", b"<w:p " + WORD + b'><w:fldSimple w:instr="INCLUDETEXT x"/></w:p>'),
         "INCLUDETEXT"),
        (member("word/a.xml", b"<w:p " + WORD + b"><w:altChunk/></w:p>"), "altChunk"),
    ],
)  # fmt: skip
def test_a_word_file_that_reaches_out_or_unpacks_itself_is_refused(
    content: bytes, why: str
) -> None:
    assert any(why in fault for fault in package_faults(content)), package_faults(content)


def test_macros_and_too_many_members_are_refused() -> None:
    def macro(members: dict[str, bytes]) -> None:
        name = "[Content_Types].xml"
        members[name] = members[name].replace(b"wordprocessingml.document.main", b"macroEnabled.x")

    assert any("macros" in fault for fault in package_faults(repacked(macro)))
    many = repacked(lambda members: members.update({f"word/{n}.xml": b"<x/>" for n in range(400)}))
    assert "too many" in package_faults(many)[0]


def office_file(*texts: str) -> bytes:
    document = Document()
    for text in texts:
        document.add_paragraph(text)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


DUTIES = ("{{ title }}", "{{ disclaimer }} {{ edition }} {{ coverage }} {{ estimate }}")


@needs_font
def test_a_word_file_of_an_office_is_filled_with_rows_and_charts() -> None:
    document = short(hostile_document())
    rows = ("{%p for item in gaps %}", "{{ item.id }} {{ item.reason }}", "{%p endfor %}")
    content = office_file(*DUTIES, "{{ radar }}", *rows)
    renderer = Renderer(OSCAL, read_pdf)
    renderer.try_template("docx", content, document)
    made = Document(io.BytesIO(renderer.render(document, "docx", "en", content)))
    said = "\n".join(paragraph.text for paragraph in made.paragraphs)
    assert said.count("{{ 7*7 }}{% raw %}") >= 3
    assert len(made.inline_shapes) == 1


@needs_font
def test_faults_of_a_word_file_are_named_with_their_paragraph(sample: Any) -> None:
    content = office_file(*DUTIES, "上一段", "{{ system.nmae }} 之后", "{{ titel }}")
    found = try_template("docx", content, sample)[0]
    assert [fault.partition("): ")[2] for fault in found] == ["no field 'nmae'", "no field 'titel'"]
    assert "{{ system.nmae }} 之后" in found[0]
    (fault,) = try_template("docx", office_file(*DUTIES, "{% for %}"), sample)[0]
    assert "{% for %}" in fault
    (fault,) = try_template("docx", office_file("{{ title }}", "等级测评报告"), sample)[0]
    assert "does not say 等级测评报告" in fault
    assert try_template("docx", office_file("x"), sample)[0][0].startswith("the report does not")


def test_a_child_that_passes_its_limits_or_never_ends_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, sample: Any
) -> None:
    loops = "".join(f"{{% for a{n} in items %}}" for n in range(5)) + "{% endfor %}" * 5
    monkeypatch.setattr(own_templates, "_COMMAND", (*own_templates._COMMAND[:2], "-c", LIMITED))
    with pytest.raises(TemplateRejected, match="more time or memory"):
        own_templates.ask_child("try", "html", OWN.replace("{{ radar }}", loops).encode(), sample)
    monkeypatch.setattr(own_templates, "_PATIENCE", 0.0)
    with pytest.raises(TemplateRejected, match="too long"):
        own_templates.ask_child("try", "html", OWN.encode(), sample)


LIMITED = """
from audits.adapters.rendering import child, limits
limits.SECONDS = 1
child.main()
"""


def test_a_form_without_templates_takes_none_and_gives_none() -> None:
    renderer = Renderer(OSCAL, read_pdf)
    with pytest.raises(TemplateRejected, match="have no templates"):
        renderer.try_template("xlsx", b"x", report_document())
    with pytest.raises(TemplateNotFound, match="for html"):
        renderer.built_in("html")
    assert renderer.built_in("docx") == DEFAULT.read_bytes()


class Trier:
    """Refuses what begins with ``bad``."""

    def try_template(self, form: Form, template: bytes, sample: Any) -> None:
        if template.startswith(b"bad"):
            raise TemplateRejected([f"{form}: bad", "worse"])

    def built_in(self, form: Form) -> bytes:
        return b"ours"


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    opened = database_spine(tmp_path, clock=SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def service(spine: Spine) -> ReportTemplateService:
    return ReportTemplateService(spine.parts, DatabaseReportTemplates(), Trier(), dict)


def test_versions_count_and_the_last_one_in_use_comes_first(
    service: ReportTemplateService,
) -> None:
    assert service.template_for(AUDITOR, "docx") is None
    first = service.add_report_template(ADMIN, "docx", " 局模板 ", b"one")
    second = service.add_report_template(ADMIN, "docx", "局模板", b"two")
    service.add_report_template(ADMIN, "html", "局模板", b"page")
    assert (first.name, first.version, second.version) == ("局模板", 1, 2)
    assert service.template_for(AUDITOR, "docx") == b"two"
    assert service.template_for(AUDITOR, "docx", first.id) == b"one"
    assert service.template_for(AUDITOR, "docx", BUILT_IN) is None
    assert service.template_for(AUDITOR, "xlsx") is None
    with pytest.raises(Invalid, match="is for docx"):
        service.template_for(AUDITOR, "html", first.id)
    assert service.retire_report_template(ADMIN, second.id).retired_at > 0
    assert service.template_for(AUDITOR, "docx") == b"one"
    with pytest.raises(TemplateNotFound, match="retired"):
        service.template_for(AUDITOR, "docx", second.id)
    with pytest.raises(ChangedMeanwhile):
        service.retire_report_template(ADMIN, second.id)
    assert service.read_report_template(AUDITOR, second.id)[1] == b"two"
    assert service.read_report_template(AUDITOR, BUILT_IN)[1] == b"ours"
    page = service.list_report_templates(AUDITOR, PageRequest(2))
    rest = service.list_report_templates(AUDITOR, page_request("2", page.next))
    assert {each.id for each in (*page.items, *rest.items)} >= {first.id, second.id}
    assert len(page.items) == 2
    assert len(rest.items) == 1


def test_who_may_and_whose_they_are(service: ReportTemplateService) -> None:
    kept = service.add_report_template(ADMIN, "docx", "a", b"one")
    for forbidden in (
        lambda: service.add_report_template(AUDITOR, "docx", "a", b"x"),
        lambda: service.retire_report_template(AUDITOR, kept.id),
        lambda: service.template_for(ADMIN, "docx"),
    ):
        with pytest.raises(Forbidden):
            forbidden()
    for hidden in (service.read_report_template, service.retire_report_template):
        with pytest.raises(NotFound):
            hidden(STRANGER, kept.id)
    assert service.list_report_templates(STRANGER, PageRequest(10)).items == []


def test_what_is_refused_is_recorded_and_not_kept(
    service: ReportTemplateService, spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TemplateRejected, match="docx: bad; worse"):
        service.add_report_template(ADMIN, "docx", "a", b"bad")
    with pytest.raises(TooLarge):
        service.add_report_template(ADMIN, "docx", "a", bytes(MAX_TEMPLATE + 1))
    for name in ("", " ", "x" * 81):
        with pytest.raises(Invalid):
            service.add_report_template(ADMIN, "docx", name, b"x")
    monkeypatch.setattr(service_module, "_MOST", 0)
    with pytest.raises(TooManyKept):
        service.add_report_template(ADMIN, "docx", "a", b"x")
    assert service.list_report_templates(ADMIN, PageRequest(10)).items == []


def test_many_faults_are_named_and_the_rest_counted() -> None:
    error = TemplateRejected([f"fault {number}" for number in range(30)])
    assert error.detail.endswith("fault 19; …")
    assert len(error.faults) == 30


def asked(house: ReportHouse, actor: Actor, way: str, body: bytes = b"", query: str = "") -> Any:
    """Return what the route answers at ``way`` (method and path), as JSON where it is."""
    method, path = way.split(" ")
    for route in house.plane.routes:
        pattern = re.sub(r"<([a-z_]+)>", r"(?P<\1>[^/]+)", route.path)
        if route.method == method and (found := re.fullmatch(pattern, path)):
            request = Request(method, path, query, {}, body, found.groupdict(), actor=actor)
            answer = route.handler(request).body
            return orjson.loads(answer) if answer.startswith(b"{") else answer
    raise AssertionError(way)


def test_over_http_an_office_adds_its_template_and_the_next_export_is_written_with_it(
    tmp_path: Path,
) -> None:
    base = "/api/v1/audits/report-templates"
    with report_house(tmp_path) as house:
        added = asked(house, ADMIN, f"POST {base}", OWN.encode(), "form=html&name=own")
        assert (added["version"], added["retired_at"]) == (1, None)
        (listed,) = asked(house, AUDITOR, f"GET {base}")["items"]
        assert listed == added
        assert asked(house, AUDITOR, f"GET {base}/{added['id']}/content") == OWN.encode()
        ours = asked(house, AUDITOR, f"GET {base}/built-in/content", query="form=pdf")
        assert ours == Renderer(OSCAL, read_pdf).built_in("pdf")
        made = house.services.assessments.assess(AUDITOR, "gbt22239", 3)
        export = f"POST /api/v1/audits/assessments/{made.id}/report"
        written = asked(house, AUDITOR, export, b'{"format": "html", "language": "en"}')
        page = base64.b64decode(written["content"])
        assert page.startswith(b"<!doctype html>\n<html><head>\n<meta charset")
        proof = base64.b64decode(written["proof"])
        assert house.files.verify_report(page, proof, house.vkeys).assessment_id == made.id
        ours = asked(house, AUDITOR, export, b'{"format": "html", "template": "built-in"}')
        assert b"@page" in base64.b64decode(ours["content"])
        for form in ("json", "xlsx"):
            with pytest.raises(Invalid, match="html or pdf or docx"):
                asked(house, ADMIN, f"POST {base}", b"x", f"form={form}&name=own")
        with pytest.raises(TemplateRejected):
            asked(house, ADMIN, f"POST {base}", b"<script>", "form=html&name=own")
        retired = asked(house, ADMIN, f"POST {base}/{added['id']}/retirement")
        assert retired["retired_at"] is not None
