"""What notices need from outside, in memory: a tree of units, a seal, checks and a printer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playbooks.errors.notices import NoticeSealMissing
from playbooks.models.notices import PrintedNotice, Recheck, SealVerdict, UsableSeal
from playbooks.ports.notices import NoticePorts, SealPlace, SetNotice
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid

SEAL = b"\nsealed by "


class FakeUnits:
    """Two bureaus below the root, an office below the first."""

    def __init__(self) -> None:
        self.parents = {"org_a": "org_root", "org_b": "org_root", "org_c": "org_a"}
        self.titles = {"org_a": "市数据局", "org_b": "市教育局", "org_c": "数据中心"}

    def names(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {each: self.titles[each] for each in ids if each in self.titles}

    def below(self, org_id: str) -> Mapping[str, str]:
        known = {"org_root": "", **self.titles}
        return {each: known[each] for each in known if org_id in self.above(each)}

    def above(self, org_id: str) -> Sequence[str]:
        parent = self.parents.get(org_id)
        return [org_id] if parent is None else [*self.above(parent), org_id]


class FakeNoticeOffice:
    """Seals by writing the seal's name behind the file; ``broken`` makes the next one fail."""

    def __init__(self) -> None:
        self.units = FakeUnits()
        self.seals = {"acc_zhou": [UsableSeal("sel_1", "市网信办章")]}
        self.broken = 0
        self.sealed: list[tuple[str, str, str]] = []
        self.passed: bool | None = True
        self.printed: list[PrintedNotice] = []

    @property
    def ports(self) -> NoticePorts:
        return NoticePorts(self.units, self, self)

    def usable_seals(self, actor: Actor) -> Sequence[UsableSeal]:
        return self.seals.get(actor.id, [])

    def seal_notice(
        self, actor: Actor, seal_id: str, document: bytes, purpose: str, place: SealPlace
    ) -> bytes:
        if self.broken:
            self.broken -= 1
            msg = "the pool is locked"
            raise NoticeSealMissing(msg)
        self.sealed.append((actor.id, seal_id, purpose))
        return document + SEAL + seal_id.encode()

    def verify_notice(self, document: bytes) -> SealVerdict:
        valid = SEAL in document
        return SealVerdict(valid, (("signature", Text("签章签名值", "signature")),))

    def recheck(self, actor: Actor, check: str, since: int, until: int) -> Recheck:
        if check == "detector:unknown":
            msg = "no such rule"
            raise Invalid(msg)
        return Recheck(check, self.passed, Text("规则无命中", "silent"), until)

    def print_notice(self, notice: PrintedNotice) -> SetNotice:
        self.printed.append(notice)
        return SetNotice(f"%PDF {notice.reference} {notice.title}".encode(), SealPlace(1, 2))
