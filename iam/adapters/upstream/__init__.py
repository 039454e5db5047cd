"""The kinds of providers upstream that can be asked."""

from iam.adapters.upstream.factory import Upstreams

__all__ = ["Upstreams"]
