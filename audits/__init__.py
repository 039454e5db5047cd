"""Evidence: the tamper-evident ledger of all acts, and what is judged and reported from it.

How an act becomes evidence:
    1. A unit of work or a hot act leaves a leaf record at one of two doors (``ports.Doors``).
    2. The sequencer (``service.sequencer``) takes the doors' durable prefixes into one order.
    3. Both trees grow: SHA-256 for the world, SM3 for 国密 (``core.rfc6962``).
    4. A checkpoint is signed with Ed25519 and with SM2 (``core.c2sp``).
    5. A receipt's leaf hash becomes an inclusion proof (``service.ledger.prove_entry``).
    6. Anybody recomputes everything (``verify_ledger``, and ``tools/verify_ledger.py``).
    7. The same entries are the evidence in the graded-protection report.

Start with ``service/sequencer.py``.
"""
