"""What an import of a bundle keeps for one asset: its row, its facts as evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from audits.core.collectors.facts import read_facts
from audits.core.documents import snapshot_content
from audits.models.collectors import FAMILIES, AssetFacts, Bundle, ImportedBundle, Reading
from audits.models.evidence import Origin, Snapshot
from audits.models.systems import Asset
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.parts import Parts

MOST_UNREAD: Final = 200
_SOURCE: Final = "tools/collect_host.sh"
_AHEAD: Final = "the host's clock is ahead of ours: the time of import stands for it"


@dataclass(frozen=True, slots=True)
class RawBundle:
    """An opened bundle with the digest and size of the bytes it came in."""

    bundle: Bundle
    digest: str
    size: int


def prepare(
    parts: Parts, actor: Actor, raw: RawBundle, asset: Asset
) -> tuple[ImportedBundle, tuple[AssetFacts, ...]]:
    """Return the row and the facts of one asset; the facts are among the blobs already."""
    now = parts.clock.now()
    readings = read_facts(raw.bundle, FAMILIES[asset.kind])
    claimed = raw.bundle.finished * SECOND
    unread = [line for reading in readings for line in reading.unread]
    row = ImportedBundle(
        id=parts.ids.new("bnd"),
        org_id=actor.org_id,
        system_id=asset.system_id,
        asset_id=asset.id,
        asset_name=asset.name,
        host=raw.bundle.host,
        digest=raw.digest,
        size=raw.size,
        collector=raw.bundle.collector,
        collected_at=min(claimed, now),
        imported_at=now,
        imported_by=actor.name,
        account_id=actor.id,
        as_root=raw.bundle.meta.get("uid") == "0",
        sections=len(raw.bundle.sections),
        kinds=tuple(reading.kind for reading in readings if reading.facts),
        unread=tuple(dict.fromkeys([*([_AHEAD] if claimed > now else []), *unread]))[:MOST_UNREAD],
    )
    facts = tuple(_facts(parts, row, reading) for reading in readings if reading.facts)
    return row, facts


def _facts(parts: Parts, row: ImportedBundle, reading: Reading) -> AssetFacts:
    facts = AssetFacts(
        org_id=row.org_id,
        system_id=row.system_id,
        asset_id=row.asset_id,
        kind=reading.kind,
        bundle_id=row.id,
        collected_at=row.collected_at,
        collector=row.collector,
        sections=reading.sections,
        facts=reading.facts,
        raw=row.digest,
        digest="",
    )
    return replace(facts, digest=parts.blobs.put(snapshot_content(snapshot_of(facts))))


def snapshot_of(facts: AssetFacts) -> Snapshot:
    """Return the facts as evidence: from which sections of which bundle, collected when."""
    origin = Origin(
        source=f"{_SOURCE}:{facts.kind}",
        version=str(facts.collector),
        query=", ".join(facts.sections),
        link=f"/collectors/bundles/{facts.bundle_id}",
        raw=facts.raw,
    )
    return Snapshot(
        facts.kind, facts.facts, origin, facts.collected_at, facts.asset_id, facts.digest
    )
