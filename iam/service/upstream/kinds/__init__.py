"""The kinds of providers upstream that can be asked, each over the guarded way out."""

from iam.service.upstream.kinds.factory import Upstreams

__all__ = ["Upstreams"]
