"""``secops kms``: keys, the pool, seals."""

from __future__ import annotations

import click

from kms.commands import (
    backends,
    certificates,
    ecertificate_batches,
    ecertificates,
    key_lifecycle,
    keys,
    limits,
    openpgp,
    pool,
    province,
    seal_policies,
    seal_previews,
    seal_requests,
    seals,
    shares,
    time_stamps,
    trust_anchors,
)


@click.group("kms")
def group() -> None:
    """Create and use keys; apply for, make, use and verify seals.

    Example: secops kms verify-seal seal.esl --json
    """


for command in (
    *keys.COMMANDS,
    *key_lifecycle.COMMANDS,
    *pool.COMMANDS,
    *backends.COMMANDS,
    *seals.COMMANDS,
    *seal_policies.COMMANDS,
    *seal_previews.COMMANDS,
    *seal_requests.COMMANDS,
    *province.COMMANDS,
    *openpgp.COMMANDS,
    *shares.COMMANDS,
    *limits.COMMANDS,
    *time_stamps.COMMANDS,
    *certificates.COMMANDS,
    *trust_anchors.COMMANDS,
    *ecertificates.COMMANDS,
    *ecertificate_batches.COMMANDS,
):
    group.add_command(command)
