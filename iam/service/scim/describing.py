"""What the server says about itself (RFC 7644 §4)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

MOST: Final = 200
"""Resources in one answer."""
BULK_OPERATIONS: Final = 100
BULK_BYTES: Final = 1_048_576
"""The most that one bulk request may hold."""


@functools.cache
def discovery() -> Mapping[str, Any]:
    """Return the three discovery documents by path: lists by id, and the configuration."""
    from scim2_models import (  # noqa: PLC0415 - half a second of pydantic
        AuthenticationScheme,
        Bulk,
        ChangePassword,
        ETag,
        Filter,
        Group,
        Patch,
        ResourceType,
        ServiceProviderConfig,
        Sort,
        User,
    )

    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=BULK_OPERATIONS, max_payload_size=BULK_BYTES),
        filter=Filter(supported=True, max_results=MOST),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth 2.0",
                description="An access token with the scope scim (client credentials)",
                primary=True,
            )
        ],
    )
    kinds = [ResourceType.from_resource(User), ResourceType.from_resource(Group)]
    schemas = [User.to_schema(), Group.to_schema()]
    return {
        "config": config,
        "ResourceTypes": {str(kind.id or kind.name): kind for kind in kinds},
        "Schemas": {str(schema.id): schema for schema in schemas},
    }
