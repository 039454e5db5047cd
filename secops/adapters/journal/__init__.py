"""The hot door of the ledger: per-process files of frames, durable before the answer.

``frames`` is the format (pure), ``writer`` the kernel's ``Trail``, ``reader`` what the
sequencer drains.
"""
