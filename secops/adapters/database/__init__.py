"""SQLite or PostgreSQL behind the kernel's ports.

One function makes engines (``engine``), one thread per process commits (``committer``),
and the ports of the kernel stand on the two: transactions, outbox, revocations, leases,
tasks, approvals. Tables of the spine are in ``tables``; planes keep their own.
"""
