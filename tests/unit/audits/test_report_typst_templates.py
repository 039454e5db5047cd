"""An office's own typst template for PDF: it reaches nothing, says its duties, carries ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from audits.adapters.rendering import Renderer, own_papers
from audits.core.oscal import OSCAL
from audits.core.report_parts import read_pdf
from audits.errors import FontUnavailable, TemplateRejected
from audits.models.forms import FORMS
from audits.service.reports.reports import Wishes
from audits.service.reports.templates import BUILT_IN
from secops.adapters.typesetting import FONTS, NotSet, open_typeface, set_source
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.canonical import canonical
from secops.kernel.errors import Invalid
from tests.fakes.report_documents import hostile_document, report_document, short, small_document
from tests.fakes.report_house import AUDITOR, report_house
from tools import verify_report as tool

pytestmark = pytest.mark.skipif(
    not any(font.is_file() for font in FONTS), reason="no Chinese font (fonts-wqy-microhei)"
)
ADMIN = Actor("account", "acc_aa", ROOT_ORG, "审计管理员", frozenset({"audit-admin"}), level=2)
OWN = """#let data = json(bytes(sys.inputs.data))
#set text(font: data.font, lang: data.lang, size: 9pt)
#set page(footer: [#data.document_id #h(1fr) #context counter(page).display()])
= #data.title
#data.disclaimer

#data.edition, #data.coverage (#data.estimate)
#if data.radar != "" { image(bytes(data.radar), format: "svg", width: 90mm, alt: data.title) }
#for item in data.gaps [
  == #item.id #item.status
  #item.reason
]
#text(size: 8pt)[// here
]
"""
MODULE = bytes.fromhex("0061736d0100000005030100010" + "70a01066d656d6f72790200")
"""WebAssembly that does nothing, and exports its memory as plugins have to."""

LOADED = f"bytes(({', '.join(str(each) for each in MODULE)}))"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="{}"/></svg>'


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(OSCAL, read_pdf)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return short(report_document())


def with_(attack: str) -> bytes:
    return OWN.replace("// here", f"\n{attack}\n").encode()


def refused(renderer: Renderer, document: dict[str, Any], template: bytes) -> str:
    with pytest.raises(TemplateRejected) as found:
        renderer.render(document, "pdf", "zh", template)
    (fault,) = found.value.faults
    return str(fault)


def test_a_paper_of_an_office_is_filled_and_carries_our_document(renderer: Renderer) -> None:
    document = short(hostile_document())
    renderer.try_template("pdf", OWN.encode(), document)
    made = renderer.render(document, "pdf", "en", OWN.encode())
    read = read_pdf(made)
    assert read.attached == (canonical(document),)
    assert "{{7*7}}{%raw%}#panic()" in "".join(read.text.split())
    assert b"<pdfaid:part>3</pdfaid:part>" in made
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in made
    assert renderer.render(document, "pdf", "en", OWN.encode()) == made


@pytest.mark.parametrize("make", [report_document, small_document])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_our_own_template_given_back_makes_our_own_paper(
    renderer: Renderer, make: Any, language: Any
) -> None:
    given = renderer.render(make(), "pdf", language, renderer.built_in("pdf"))
    assert given == renderer.render(make(), "pdf", language)


def test_the_template_of_the_manual_does(renderer: Renderer, document: dict[str, Any]) -> None:
    manual = Path(__file__).parents[3] / "docs" / "manual" / "reports.md"
    template = manual.read_text().partition("```typst\n")[2].partition("```")[0]
    renderer.try_template("pdf", template.encode(), document)


REACHING = {
    '#read("/etc/passwd")': "file not found",
    '#read("pyproject.toml")': "file not found",
    '#read("../../../../etc/passwd")': "escape the project root",
    '#json("/etc/passwd")': "file not found",
    '#csv("/proc/self/environ")': "file not found",
    '#image("/etc/passwd")': "file not found",
    '#include "/etc/passwd"': "file not found",
    '#import "/usr/share/x.typ": y': "file not found",
    '#import "@preview/cetz:0.3.0": canvas': "package",
    '#import "@local/house:1.0.0": *': "package",
    '#bibliography("/etc/passwd")': "file not found",
    '#raw("x", lang: "x", syntaxes: "/etc/passwd")': "file not found",
    f'#image(bytes({orjson.dumps(SVG.format("/etc/passwd")).decode()}), format: "svg")': "image",
    f'#image(bytes({orjson.dumps(SVG.format("//x.example/y")).decode()}), format: "svg")': "image",
    '#plugin("x.wasm")': "found none",
    f"#plugin({LOADED})": "found none",
    f"#std.plugin({LOADED})": "none",
    "#import std: plugin": "found none",
    f'#eval("plugin({LOADED})")': "found none",
    f"$std.plugin({LOADED})$": "none",
    '#pdf.attach("x.txt", bytes("x"), mime-type: "text/plain", description: "x")': "none",
    '#link("https://x.example/")[y]': "links to the outside",
    "https://x.example/": "links to the outside",
    '#context link((page: 1, x: 0pt, y: 0pt))[y] #footnote(link("mailto:a@b.c")[y])': "links to",
    '#html.elem("script")[x]': "ignored",
}


@pytest.mark.parametrize("attack", REACHING)
def test_what_reaches_out_of_a_template_is_refused_with_the_line(
    renderer: Renderer, document: dict[str, Any], attack: str
) -> None:
    fault = refused(renderer, document, with_(attack))
    assert REACHING[attack] in fault
    assert fault.startswith("line 14: ") or "links to the outside" in fault


def test_a_plugin_would_load_where_nothing_refuses_it() -> None:
    """The control: the module above is one, and bare typst takes it."""
    typeface = open_typeface(FONTS)
    assert set_source(f"#let loaded = plugin({LOADED})".encode(), {}, typeface, at=0)
    with pytest.raises(NotSet, match="file not found") as found:
        set_source(b'\n#read("pyproject.toml")', {}, typeface, at=0)
    assert found.value.line == 2


def test_a_child_that_shut_its_doors_opens_nothing() -> None:
    """No file, no socket, no program: whatever typst would still find a way to ask for."""
    code = """
import socket, subprocess
from audits.adapters.rendering.limits import shut_doors
shut_doors()
for attempt in (
    lambda: open("/etc/passwd"),
    lambda: socket.socket(),
    lambda: socket.getaddrinfo("127.0.0.1", "domain"),
    lambda: subprocess.run(["/bin/true"], check=True, capture_output=True),
):
    try:
        attempt()
    except OSError:
        print("shut")
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().split() == ["shut"] * 4


LIMITED = """
from audits.adapters.rendering import limits, typst_child
limits.SECONDS, limits.OUTPUT = 2, 200_000
typst_child.main()
"""
GROWING = {
    "#for a in range(9999) { for b in range(9999) { for c in range(9999) { } } }": "more time",
    "#{ let n = 0; while n >= 0 { n += 1 } }": "infinite",
    "#let f(x) = f(x + 1)\n#f(0)": "depth exceeded",
    f"#{'(' * 200_000}": "",
    '#{ "x" * 3000000000 }': "more time or memory",
    "#{ let a = range(1000000000) }": "more time or memory",
    "#{ let a = (0,) * 200000000; a.len() }": "more time or memory",
    "#for a in range(99999999) [page #pagebreak()]": "more time or memory",
    '#let f(x) = if x == 0 { "x" } else { f(x - 1) + f(x - 1) }\n#f(40)': "more time or memory",
    '#let s = state("s", 1); #context s.update(s.final() + 1)': "did not converge",
}


@pytest.mark.parametrize("attack", GROWING)
def test_what_never_ends_or_grows_is_refused_within_limits(
    renderer: Renderer, document: dict[str, Any], attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_papers, "COMMAND", (*own_papers.COMMAND[:2], "-c", LIMITED))
    assert GROWING[attack] in refused(renderer, document, with_(attack))


def test_a_paper_that_is_larger_than_any_report_is_refused(
    renderer: Renderer, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_papers, "COMMAND", (*own_papers.COMMAND[:2], "-c", LIMITED))
    assert renderer.render(document, "pdf", "zh", OWN.encode())
    fault = refused(renderer, document, with_("#for n in range(300) [#n #lorem(9) #pagebreak()]"))
    assert "larger than 200000 bytes" in fault


@pytest.mark.parametrize(
    ("put", "why"),
    [
        ("#data.titel", 'line 14: typst refuses: dictionary does not contain key "titel"'),
        ("#data.system.nmae", '"nmae"'),
        ("#nobody", "unknown variable: nobody"),
        ("#text(", "line 14: typst refuses: unclosed delimiter"),
        ('#text(font: "Arial")[x]', "unknown font family: arial"),
        ("#panic(data.title)", "panicked"),
        ("等级测评报告", "line 14: a self-check does not say 等级测评报告"),
        ("本系统 已 通过 测评", "does not say 通过"),
        ("#rect(stroke: gradient.linear(red, blue))[合规]", "does not say 合规"),
    ],
)
def test_faults_are_named_with_their_line(
    renderer: Renderer, document: dict[str, Any], put: str, why: str
) -> None:
    assert why in refused(renderer, document, with_(put))


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("title", ""),
        ("disclaimer", "#hide(data.disclaimer)"),
        ("coverage", '#if data.document_id == "asm_sample" { data.coverage }'),
        ("coverage", '#image(bytes(data.radar), format: "svg", alt: data.coverage)'),
        ("coverage", '#image(bytes(data.radar), format: "svg", alt: "((" + data.coverage + "))")'),
        ("coverage", "#metadata(data.coverage)"),
    ],
)
def test_what_every_report_says_can_not_be_left_out(
    renderer: Renderer, document: dict[str, Any], name: str, instead: str
) -> None:
    template = OWN.replace(f"#data.{name}", instead).encode()
    with pytest.raises(TemplateRejected) as found:
        renderer.render(document | {"id": "asm_real"}, "pdf", "en", template)
    assert f"the report does not say {{{{ {name} }}}}" in found.value.faults


def test_words_that_are_parted_at_the_end_of_a_line_are_still_said(
    renderer: Renderer, document: dict[str, Any]
) -> None:
    narrow = OWN.replace("size: 9pt)", "size: 9pt, hyphenate: true)\n#set page(width: 60mm)")
    for language in ("zh", "en"):
        assert renderer.render(document, "pdf", language, narrow.encode())


def test_what_is_no_text_and_a_house_without_a_font_are_refused(document: dict[str, Any]) -> None:
    assert "UTF-8" in refused(Renderer(OSCAL, read_pdf), document, b"\xff\xfe")
    with pytest.raises(FontUnavailable):
        Renderer(OSCAL, read_pdf, fonts=()).try_template("pdf", OWN.encode(), document)


def test_what_an_office_s_template_made_is_sealed_and_proved_as_ours_is(tmp_path: Path) -> None:
    with report_house(tmp_path) as house:
        services = house.services
        added = services.templates.add_report_template(ADMIN, "pdf", "own", OWN.encode())
        made = services.assessments.assess(AUDITOR, "gbt22239", 3)
        report = services.reports.export_report(AUDITOR, made.id, "pdf")
        document = services.assessments.show_assessment(AUDITOR, made.id)
        verified = house.files.verify_report(report.content, report.proof, house.vkeys)
        keys = tool.read_keys("\n".join(house.vkeys))
        alone = tool.verify_report(report.content, report.proof, keys)
        assert verified.template == alone["template"] == hashlib.sha256(OWN.encode()).hexdigest()
        assert added.digest == verified.template
        assert read_pdf(report.content).attached == (canonical(document),)
        with pytest.raises(TemplateRejected):
            services.templates.add_report_template(ADMIN, "pdf", "own", with_('#read("x")'))


def test_an_archive_holds_the_office_s_own_reports_unless_ours_are_wished(tmp_path: Path) -> None:
    with report_house(tmp_path) as house:
        services, archives = house.services, house.services.archives
        added = services.templates.add_report_template(ADMIN, "pdf", "own", OWN.encode())
        made = services.assessments.assess(AUDITOR, "gbt22239", 3)
        for wished, written in (("", added.digest), (BUILT_IN, "")):
            path, wishes = tmp_path / f"{wished or 'own'}.zip", Wishes(wished)
            path.write_bytes(
                services.archives.pack_archive(AUDITOR, made.id, wishes=wishes).content
            )
            keys = tool.read_keys("\n".join(house.vkeys))
            names = tool.verify(path, None, keys)["reports"]
            assert len(names) == len(FORMS)
            with zipfile.ZipFile(path) as archive:
                proofs = [orjson.loads(archive.read(f"{name}.proof"))["claims"] for name in names]
            templates = {each["form"]: each.get("template", "") for each in proofs}
            assert templates == dict.fromkeys(FORMS, "") | {"pdf": written}
        with pytest.raises(Invalid, match="built-in"):
            archives.pack_archive(AUDITOR, made.id, wishes=Wishes(added.id))
