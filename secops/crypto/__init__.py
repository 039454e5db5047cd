"""Engines: SM2, SM3, SM4 and their international siblings. Holds no keys.

``engines.power_on_self_test`` runs each engine's known answers; an engine that fails is
refused by ``engines.require_engine``. SM2 is the system libcrypto's (``libcrypto``, ``sm2``); all
else is the ``cryptography`` package.
"""
