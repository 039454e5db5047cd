"""Read a proposed template out of JSON: every key known, every number within its limits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any, Final

from kms.core.ecertificates.pages import default_layout
from kms.core.ecertificates.refusals import ECertificateError, refuse
from kms.core.gbt36904.identifiers import IdentifierError, require_codes
from kms.models.ecertificates import (
    ALIGNS,
    BUILT_IN,
    FIELD_KINDS,
    FILE_FORMATS,
    SHOWINGS,
    Layout,
    LayoutItem,
    TemplateField,
    TemplateWish,
)
from secops.kernel.catalogue import Text

MAX_FIELDS: Final = 40
MAX_ITEMS: Final = 80
MAX_CHOICES: Final = 100
MAX_VALUE: Final = 500
_MAX_NAME: Final = 60
_MAX_PREFIX: Final = 20
_MAX_DAYS: Final = 36_500
_MAX_LINES: Final = 20
_SIDES: Final = (50.0, 500.0)
_SIZES: Final = (2.0, 40.0)
_QR_SIZES: Final = (20.0, 80.0)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


def read_template(record: Mapping[str, Any]) -> TemplateWish:
    """Return the template that ``record`` describes, with a layout; raise ``ECertificateError``."""
    known = _only(record, TemplateWish, "template")
    fields = tuple(_field(each) for each in _list(known.get("fields"), "fields", MAX_FIELDS))
    layout = known.get("layout")
    wish = TemplateWish(
        type_code=_text(known, "type_code", _MAX_NAME),
        name=_text(known, "name", _MAX_NAME),
        authority=_text(known, "authority", _MAX_NAME),
        authority_code=_text(known, "authority_code", _MAX_NAME),
        number_prefix=_text(known, "number_prefix", _MAX_PREFIX, empty=True),
        fields=fields,
        holder_field=_text(known, "holder_field", _MAX_NAME),
        seal_id=_text(known, "seal_id", _MAX_NAME),
        validity_days=_days(known.get("validity_days")),
        format=_one_of(known.get("format", "ofd"), FILE_FORMATS, "format"),
    )
    _require_sound(wish)
    page = default_layout(wish) if layout is None else _layout(layout)
    _require_drawable(page, {*(field.name for field in fields), *BUILT_IN})
    return replace(wish, layout=page)


def _require_sound(wish: TemplateWish) -> None:
    try:
        require_codes(wish.type_code, wish.authority_code)
    except IdentifierError as error:
        raise ECertificateError(Text(f"代码格式不正确:{error}", str(error))) from error
    names = [field.name for field in wish.fields]
    if not names or len(set(names)) != len(names):
        raise refuse("数据项至少一项,名称不得重复", "at least one field, each name once")
    held = [field for field in wish.fields if field.name == wish.holder_field]
    if not held or not held[0].required:
        raise refuse("持证主体须是一个必填数据项", "holder_field names a required field")


def _field(value: Any) -> TemplateField:
    known = _only(_object(value, "fields"), TemplateField, "fields")
    name = _text(known, "name", _MAX_NAME)
    if not _NAME.fullmatch(name) or name == "number":
        raise refuse(
            f"数据项名称 {name!r} 须为小写字母开头的字母、数字和下划线,且不得为 number",
            f"a field's name is lower-case letters, digits and _, and not number: {name!r}",
        )
    choices = tuple(
        _plain(each, "choices", MAX_VALUE)
        for each in _list(known.get("choices", []), "choices", MAX_CHOICES)
    )
    kind = _one_of(known.get("kind", "text"), FIELD_KINDS, "kind")
    if (kind == "choice") != bool(choices):
        raise refuse(
            "choice 类型须且只有它列出 choices", "choices belong to a choice, and to it alone"
        )
    return TemplateField(
        name=name,
        title=_text(known, "title", _MAX_NAME),
        kind=kind,
        required=_flag(known.get("required", True), "required"),
        max_length=_whole(known.get("max_length", 100), "max_length", 1, MAX_VALUE),
        choices=choices,
        public=_one_of(known.get("public", "hidden"), SHOWINGS, "public"),
    )


def _layout(value: Any) -> Layout:
    known = _only(_object(value, "layout"), Layout, "layout")
    items = tuple(_item(each) for each in _list(known.get("items"), "items", MAX_ITEMS))
    numbers = {
        each.name: _number(known, each.name) for each in fields_of(Layout) if each.name != "items"
    }
    return Layout(items=items, **numbers)


def _item(value: Any) -> LayoutItem:
    known = _only(_object(value, "items"), LayoutItem, "items")
    return LayoutItem(
        x=_number(known, "x"),
        y=_number(known, "y"),
        width=_number(known, "width"),
        size=_number(known, "size"),
        text=_text(known, "text", MAX_VALUE, empty=True) if "text" in known else "",
        field=_text(known, "field", _MAX_NAME, empty=True) if "field" in known else "",
        align=_one_of(known.get("align", "left"), ALIGNS, "align"),
        lines=_whole(known.get("lines", 1), "lines", 1, _MAX_LINES),
    )


def _require_drawable(layout: Layout, names: set[str]) -> None:
    width, height = layout.width, layout.height
    sides = all(_SIDES[0] <= side <= _SIDES[1] for side in (width, height))
    if not sides or not 0 <= layout.frame < min(width, height) / 4:
        raise refuse("页面边长为 50 至 500 毫米", "a page's sides are 50 to 500 mm")
    qr = layout.qr_size
    _require_inside(layout.qr_x, qr, width)
    _require_inside(layout.qr_y, qr, height)
    if not _QR_SIZES[0] <= qr <= _QR_SIZES[1]:
        raise refuse("二维码边长为 20 至 80 毫米", "a QR code has 20 to 80 mm")
    for item in layout.items:
        if not _SIZES[0] <= item.size <= _SIZES[1] or item.width < item.size:
            raise refuse(
                "字高为 2 至 40 毫米,宽度不小于字高", "characters have 2 to 40 mm and a width"
            )
        _require_inside(item.x, item.width, width)
        _require_inside(item.y, item.size, height)
        if not item.text and not item.field:
            raise refuse("每个版面元素须有文字或数据项", "each item has a text or a field")
        if item.field and item.field not in names:
            raise refuse(f"版面引用了未知数据项 {item.field!r}", f"unknown field {item.field!r}")


def _require_inside(start: float, length: float, side: float) -> None:
    if start < 0 or start + length > side:
        raise refuse("版面元素超出页面", "an item of the layout is beyond the page")


def _only(record: Mapping[str, Any], shape: Any, where: str) -> Mapping[str, Any]:
    unknown = sorted(set(record) - {each.name for each in fields_of(shape)})
    if unknown:
        name = str(unknown[0])[:_MAX_NAME]
        raise refuse(f"{where} 中有未知的键 {name!r}", f"unknown key {name!r} in {where}")
    return record


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise refuse(f"{name} 须为对象", f"{name} is an object")
    return value


def _list(value: Any, name: str, most: int) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise refuse(f"{name} 须为至多 {most} 项的列表", f"{name} is a list of at most {most}")
    return value


def _text(record: Mapping[str, Any], name: str, most: int, *, empty: bool = False) -> str:
    text = _plain(record.get(name), name, most)
    if not text and not empty:
        raise refuse(f"缺少 {name}", f"{name} is missing")
    return text


def _plain(value: Any, name: str, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not (value.isprintable() or not value):
        raise refuse(f"{name} 须为至多 {most} 个可打印字符", f"{name} is at most {most} characters")
    return value.strip()


def _one_of(value: Any, known: Sequence[Any], name: str) -> Any:
    if value not in known:
        raise refuse(f"{name} 须为 {'、'.join(known)} 之一", f"{name} is one of {', '.join(known)}")
    return value


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise refuse(f"{name} 须为 true 或 false", f"{name} is true or false")
    return value


def _whole(value: Any, name: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise refuse(f"{name} 须为 {least} 至 {most} 的整数", f"{name} is {least} to {most}")
    return value


def _number(record: Mapping[str, Any], name: str) -> float:
    value = record.get(name, 0.0 if name == "frame" else None)
    if type(value) not in (int, float) or not math.isfinite(value):
        raise refuse(f"{name} 须为毫米数", f"{name} is a number of millimetres")
    return float(value)


def _days(value: Any) -> int | None:
    return None if value is None else _whole(value, "validity_days", 1, _MAX_DAYS)
