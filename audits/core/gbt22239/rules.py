"""Rules over facts as data: what a check demands, so that a test can break each of them."""

from __future__ import annotations

from dataclasses import dataclass

from audits.core.gbt22239.findings import Looking


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on the fact ``kind/name``.

    A number lies between ``least`` and ``most`` or equals that of the fact ``same``; with
    neither, the fact is true. ``fatal`` rules that are broken make 不符合, the others 部分符合.
    With ``when`` it is asked only where that number is above 0, ``if_seen`` only where there is
    evidence of its kind: where there is nothing of the kind, nothing can be missing of it.
    """

    fact: str
    least: int | None = None
    most: int | None = None
    same: str = ""
    when: str = ""
    if_seen: bool = False
    fatal: bool = True

    @property
    def expected(self) -> str:
        """The demand in words that every reader of a report knows."""
        if self.same:
            return f"= {self.same}"
        if self.least is None:
            return "true" if self.most is None else f"<= {self.most}"
        if self.most is None:
            return f">= {self.least}"
        return str(self.least) if self.least == self.most else f"{self.least}..{self.most}"

    def ask(self, look: Looking) -> None:
        """Note what is seen of the fact and whether it is as demanded."""
        if self.if_seen and self.fact.partition("/")[0] not in look.snapshots:
            return
        if self.when and not look.number(self.when):
            return
        if self.same:
            self._compare(look)
        elif self.least is None and self.most is None:
            look.expect_true(self.fact, self.expected, fatal=self.fatal)
        else:
            look.expect(self.fact, self.expected, self._within, fatal=self.fatal)

    def _within(self, number: int) -> bool:
        return (self.least is None or number >= self.least) and (
            self.most is None or number <= self.most
        )

    def _compare(self, look: Looking) -> None:
        seen, wanted = look.number(self.fact), look.number(self.same)
        if seen is not None and wanted is not None:
            expected = f"{self.expected} ({wanted})"
            look.note(self.fact, expected, str(seen), ok=seen == wanted, fatal=self.fatal)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A check that is nothing but rules; implements ``findings.Check``."""

    rules: tuple[Rule, ...]

    def __call__(self, look: Looking) -> None:
        """Ask every rule."""
        for rule in self.rules:
            rule.ask(look)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of evidence it reads."""
        facts = (name for rule in self.rules for name in (rule.fact, rule.same, rule.when))
        return frozenset(name.partition("/")[0] for name in facts if name)


def ruled(*rules: Rule) -> Ruled:
    """Return the check that asks ``rules`` in their order."""
    return Ruled(rules)


def none_of(fact: str, *, when: str = "", if_seen: bool = False, fatal: bool = True) -> Rule:
    """Demand that there is none."""
    return Rule(fact, least=0, most=0, when=when, if_seen=if_seen, fatal=fatal)


def some_of(fact: str, *, least: int = 1, when: str = "", fatal: bool = True) -> Rule:
    """Demand at least ``least``."""
    return Rule(fact, least=least, when=when, fatal=fatal)


def at_most(fact: str, most: int, *, least: int = 0, when: str = "", fatal: bool = True) -> Rule:
    """Demand no more than ``most``, and no less than ``least``."""
    return Rule(fact, least=least, most=most, when=when, fatal=fatal)


def all_of(fact: str, every: str, *, fatal: bool = True) -> Rule:
    """Demand that the number ``fact`` is that of ``every``."""
    return Rule(fact, same=every, fatal=fatal)


def is_so(fact: str, *, when: str = "", fatal: bool = True) -> Rule:
    """Demand that the fact is true."""
    return Rule(fact, when=when, fatal=fatal)
