"""Imported last by the fork server: what stands in memory by then is garbage to nobody.

A child's collector would write into the head of every object it looks at, and so copy the pages
that parent and children share.
"""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
