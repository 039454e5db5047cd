"""SM2 (GB/T 32918, GM/T 0003) by the system's libcrypto EVP.

The signer computes ZA here: ``sign(message)`` signs e = SM3(ZA ‖ message) with the user id
given (default 1234567812345678, GM/T 0009); ``sign_digest`` takes an e made elsewhere.
Signatures are DER SEQUENCE {r, s}; ``der.signature_to_raw`` makes r ‖ s.
"""

from __future__ import annotations

import threading
from typing import Any, Final, Literal

from secops.crypto import der
from secops.crypto.errors import DecryptionFailed, InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.hashes import sm3
from secops.crypto.libcrypto import NULL, ffi, library, owned_key, read_pointer, to_der
from secops.crypto.options import SM2_DEFAULT_USER_ID

CiphertextOrder = Literal["c1c3c2", "c1c2c3"]

DEFAULT_USER_ID: Final = SM2_DEFAULT_USER_ID
ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SIGNATURE_OID: Final = "1.2.156.10197.1.501"

_A: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_GX: Final = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
_GY: Final = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
_CURVE_BYTES: Final = b"".join(value.to_bytes(32, "big") for value in (_A, _B, _GX, _GY))
_ALGORITHM: Final = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_SPKI_HEAD: Final = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("034200")
_COMPRESSED_HEAD: Final = bytes.fromhex("3039") + _ALGORITHM + bytes.fromhex("032200")
_POINT: Final = 65
_COMPRESSED_POINT: Final = 33
_PKCS8_LENGTH: Final = 138
_DIGEST: Final = 32
_MAX_SIGNATURE: Final = 80
_MAX_USER_ID: Final = 8191  # ENTL holds the length in bits in two bytes


class PublicKey:
    """A public key on the SM2 curve. Safe in any number of threads.

    ``der`` is SPKI with the uncompressed point; a compressed one is accepted and expanded.
    """

    def __init__(self, spki: bytes) -> None:
        """Read ``spki``; raise ``InvalidKey`` unless it is a point of the curve."""
        if not _is_public(spki):
            msg = "not the SPKI of an SM2 key"
            raise InvalidKey(msg)
        self._local = threading.local()
        self._spki = spki
        pointer = self._pointer()
        if spki[: len(_SPKI_HEAD)] != _SPKI_HEAD:
            self._spki = _expanded(pointer)

    @classmethod
    def from_point(cls, point: bytes) -> PublicKey:
        """Return the key of 04 ‖ x ‖ y, or of a compressed point."""
        if len(point) == _COMPRESSED_POINT:
            return cls(_COMPRESSED_HEAD + point)
        return cls(_SPKI_HEAD + point)

    @property
    def der(self) -> bytes:
        """SPKI in DER, 91 bytes."""
        return self._spki

    @property
    def point(self) -> bytes:
        """04 ‖ x ‖ y."""
        return self._spki[len(_SPKI_HEAD) :]

    def identity_digest(self, user_id: bytes = DEFAULT_USER_ID) -> bytes:
        """Return ZA (GB/T 32918.2 §5.5) of this key and ``user_id``."""
        if len(user_id) > _MAX_USER_ID:
            msg = f"an SM2 user id has at most {_MAX_USER_ID} bytes"
            raise InvalidKey(msg)
        entl = (8 * len(user_id)).to_bytes(2, "big")
        return sm3(entl + user_id + _CURVE_BYTES + self.point[1:])

    def message_digest(self, message: bytes, user_id: bytes = DEFAULT_USER_ID) -> bytes:
        """Return e = SM3(ZA ‖ message), what ``sign_digest`` takes."""
        return sm3(self.identity_digest(user_id) + message)

    def verify(self, signature: bytes, message: bytes, user_id: bytes = DEFAULT_USER_ID) -> None:
        """Return if ``signature`` (DER) is of ``message``; raise ``InvalidSignature``."""
        _check_form(signature)
        lib, key = library(), self._pointer()
        context, key_context = _digest_context(lib, key, user_id)
        try:
            result = lib.EVP_DigestVerifyInit(context, NULL, lib.EVP_sm3(), NULL, key)
            if result == 1:
                result = lib.EVP_DigestVerify(
                    context, signature, len(signature), message, len(message)
                )
        finally:
            lib.EVP_MD_CTX_free(context)
            lib.EVP_PKEY_CTX_free(key_context)
        _demand_verified(lib, result)

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        """Return if ``signature`` (DER) is of e = ``digest``; raise ``InvalidSignature``."""
        _check_form(signature)
        _check_digest(digest)
        lib = library()
        context = lib.EVP_PKEY_CTX_new(self._pointer(), NULL)
        try:
            result = lib.EVP_PKEY_verify_init(context)
            if result == 1:
                result = lib.EVP_PKEY_verify(
                    context, signature, len(signature), digest, len(digest)
                )
        finally:
            lib.EVP_PKEY_CTX_free(context)
        _demand_verified(lib, result)

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return DER SEQUENCE {x, y, C3, C2} (GM/T 0009 §7.2)."""
        if not plaintext:
            msg = "SM2 can't encrypt nothing"
            raise InvalidKey(msg)
        result = _crypt(self._pointer(), plaintext, encrypting=True)
        if result is None:
            msg = "SM2 encryption failed"
            raise InvalidKey(msg)
        return result

    def _pointer(self) -> Any:
        found = getattr(self._local, "key", None)
        if found is None:
            lib = library()
            pointer, _buffer = read_pointer(self._spki)
            key = lib.d2i_PUBKEY(NULL, pointer, len(self._spki))
            found = self._local.key = _checked(lib, key, private=False)
        return found


class PrivateKey:
    """A private key on the SM2 curve. Safe in any number of threads: one object in each."""

    def __init__(self, pkcs8: bytes) -> None:
        """Read ``pkcs8`` (DER, as libcrypto writes it); raise ``InvalidKey`` otherwise."""
        if len(pkcs8) != _PKCS8_LENGTH or _ALGORITHM not in pkcs8:
            msg = "not a PKCS#8 SM2 key with its public key"
            raise InvalidKey(msg)
        self._local = threading.local()
        self._pkcs8 = pkcs8
        pointer = self._pointer()
        self.public_key = PublicKey(to_der(library().i2d_PUBKEY, pointer))

    @classmethod
    def generate(cls) -> PrivateKey:
        """Return a new key from libcrypto's generator."""
        lib = library()
        context = lib.EVP_PKEY_CTX_new_from_name(NULL, b"SM2", NULL)
        out = ffi.new("EVP_PKEY **")
        try:
            made = lib.EVP_PKEY_keygen_init(context) == 1 and lib.EVP_PKEY_generate(context, out)
        finally:
            lib.EVP_PKEY_CTX_free(context)
        if made != 1:
            lib.ERR_clear_error()
            msg = "SM2 key generation failed"
            raise InvalidKey(msg)
        return cls(_to_pkcs8(owned_key(out[0])))

    @classmethod
    def from_scalar(cls, scalar: bytes, point: bytes) -> PrivateKey:
        """Return the key d = ``scalar`` (32 bytes) with its public ``point`` 04 ‖ x ‖ y."""
        body = bytes.fromhex("308187020100") + _ALGORITHM + bytes.fromhex("046d306b0201010420")
        return cls(body + scalar + bytes.fromhex("a144034200") + point)

    @property
    def der(self) -> bytes:
        """PKCS#8 in DER, 138 bytes, not encrypted."""
        return self._pkcs8

    def sign(self, message: bytes, user_id: bytes = DEFAULT_USER_ID) -> bytes:
        """Return the DER signature over SM3(ZA ‖ ``message``)."""
        lib, key = library(), self._pointer()
        context, key_context = _digest_context(lib, key, user_id)
        out = _SignatureBuffer()
        try:
            result = lib.EVP_DigestSignInit(context, NULL, lib.EVP_sm3(), NULL, key)
            if result == 1:
                result = lib.EVP_DigestSign(context, out.bytes, out.length, message, len(message))
        finally:
            lib.EVP_MD_CTX_free(context)
            lib.EVP_PKEY_CTX_free(key_context)
        return out.read(lib, result)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the DER signature over e = ``digest`` (32 bytes, ZA already inside)."""
        _check_digest(digest)
        lib = library()
        context = lib.EVP_PKEY_CTX_new(self._pointer(), NULL)
        out = _SignatureBuffer()
        try:
            result = lib.EVP_PKEY_sign_init(context)
            if result == 1:
                result = lib.EVP_PKEY_sign(context, out.bytes, out.length, digest, len(digest))
        finally:
            lib.EVP_PKEY_CTX_free(context)
        return out.read(lib, result)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of DER ``ciphertext``; raise ``DecryptionFailed``."""
        der.read_whole(ciphertext, der.SEQUENCE)
        plaintext = _crypt(self._pointer(), ciphertext, encrypting=False)
        if plaintext is None:
            raise DecryptionFailed
        return plaintext

    def _pointer(self) -> Any:
        found = getattr(self._local, "key", None)
        if found is None:
            lib = library()
            pointer, _buffer = read_pointer(self._pkcs8)
            key = lib.d2i_AutoPrivateKey(NULL, pointer, len(self._pkcs8))
            found = self._local.key = _checked(lib, key, private=True)
        return found


def ciphertext_to_raw(ciphertext: bytes, order: CiphertextOrder = "c1c3c2") -> bytes:
    """Return DER ``ciphertext`` as 04 ‖ x ‖ y ‖ C3 ‖ C2 (GB/T 32918.4 order), or as it was."""
    parts = list(der.children(der.read_whole(ciphertext, der.SEQUENCE).content))
    if [part.tag for part in parts] != [2, 2, 4, 4] or len(parts[2].content) != _DIGEST:
        msg = "not an SM2 ciphertext"
        raise MalformedEncoding(msg)
    x, y = der.read_unsigned(parts[0]), der.read_unsigned(parts[1])
    if max(x, y) >> 256:
        msg = "not an SM2 ciphertext"
        raise MalformedEncoding(msg)
    point = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    c3, c2 = parts[2].content, parts[3].content
    return point + (c3 + c2 if order == "c1c3c2" else c2 + c3)


def raw_to_ciphertext(raw: bytes, order: CiphertextOrder = "c1c3c2") -> bytes:
    """Return 04 ‖ x ‖ y ‖ C3 ‖ C2 as DER.

    ``c1c2c3`` is the order before 2012 (GM/T 0003.4 turned it): never guessed, for a text read
    in the wrong order only fails to decrypt.
    """
    if len(raw) <= _POINT + _DIGEST or raw[0] != 4:  # noqa: PLR2004 - 04 = uncompressed
        msg = "a raw SM2 ciphertext is 04 ‖ x ‖ y ‖ C3 ‖ C2"
        raise MalformedEncoding(msg)
    point, rest = raw[1:_POINT], raw[_POINT:]
    c3, c2 = rest[:_DIGEST], rest[_DIGEST:]
    if order == "c1c2c3":
        c3, c2 = rest[-_DIGEST:], rest[:-_DIGEST]
    return der.encode_sequence(
        der.encode_unsigned(int.from_bytes(point[:32], "big")),
        der.encode_unsigned(int.from_bytes(point[32:], "big")),
        der.encode(der.OCTET_STRING, c3),
        der.encode(der.OCTET_STRING, c2),
    )


def _is_public(spki: bytes) -> bool:
    if spki[: len(_SPKI_HEAD)] == _SPKI_HEAD:
        point = spki[len(_SPKI_HEAD) :]
        return len(point) == _POINT and point[0] == 4  # noqa: PLR2004 - 04 = uncompressed
    head = spki[: len(_COMPRESSED_HEAD)]
    point = spki[len(_COMPRESSED_HEAD) :]
    return head == _COMPRESSED_HEAD and len(point) == _COMPRESSED_POINT and point[0] in (2, 3)


def _expanded(pointer: Any) -> bytes:
    """Return the SPKI with an uncompressed point of a key that came compressed.

    libcrypto keeps the form it was given; encryption's C1 never shows it, so the point is
    computed here: y² = x³ + ax + b over p, p ≡ 3 (mod 4). It was checked by libcrypto.
    """
    spki = to_der(library().i2d_PUBKEY, pointer)
    point = spki[-_COMPRESSED_POINT:]
    p = _A + 3
    x = int.from_bytes(point[1:], "big")
    y = pow((pow(x, 3, p) + _A * x + _B) % p, (p + 1) // 4, p)
    if y & 1 != point[0] & 1:
        y = p - y
    return _SPKI_HEAD + b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def _checked(lib: Any, key: Any, *, private: bool) -> Any:
    if key == NULL:
        lib.ERR_clear_error()
        msg = "not an SM2 key"
        raise InvalidKey(msg)
    key = owned_key(key)
    context = lib.EVP_PKEY_CTX_new(key, NULL)
    try:
        check = lib.EVP_PKEY_check if private else lib.EVP_PKEY_public_check
        good = lib.EVP_PKEY_is_a(key, b"SM2") == 1 and check(context) == 1
    finally:
        lib.EVP_PKEY_CTX_free(context)
    if not good:
        lib.ERR_clear_error()
        msg = "the key is not a valid SM2 key"
        raise InvalidKey(msg)
    return key


def _to_pkcs8(key: Any) -> bytes:
    lib = library()
    info = lib.EVP_PKEY2PKCS8(key)
    try:
        return to_der(lib.i2d_PKCS8_PRIV_KEY_INFO, info)
    finally:
        lib.PKCS8_PRIV_KEY_INFO_free(info)


def _digest_context(lib: Any, key: Any, user_id: bytes) -> tuple[Any, Any]:
    if len(user_id) > _MAX_USER_ID:
        msg = f"an SM2 user id has at most {_MAX_USER_ID} bytes"
        raise InvalidKey(msg)
    context, key_context = lib.EVP_MD_CTX_new(), lib.EVP_PKEY_CTX_new(key, NULL)
    # set before Init: ZA is computed with it; without it libcrypto takes the empty id
    lib.EVP_PKEY_CTX_set1_id(key_context, user_id, len(user_id))
    lib.EVP_MD_CTX_set_pkey_ctx(context, key_context)
    return context, key_context


def _crypt(key: Any, data: bytes, *, encrypting: bool) -> bytes | None:
    lib = library()
    context = lib.EVP_PKEY_CTX_new(key, NULL)
    start = lib.EVP_PKEY_encrypt_init if encrypting else lib.EVP_PKEY_decrypt_init
    run = lib.EVP_PKEY_encrypt if encrypting else lib.EVP_PKEY_decrypt
    length = ffi.new("size_t *")
    try:
        if start(context) == 1 and run(context, NULL, length, data, len(data)) == 1:
            out = ffi.new("unsigned char[]", length[0])
            if run(context, out, length, data, len(data)) == 1:
                return bytes(ffi.buffer(out, length[0]))
    finally:
        lib.EVP_PKEY_CTX_free(context)
    lib.ERR_clear_error()
    return None


def _check_form(signature: bytes) -> None:
    try:
        der.read_signature(signature, ORDER)
    except MalformedEncoding as error:
        raise InvalidSignature(error.detail) from error


def _check_digest(digest: bytes) -> None:
    if len(digest) != _DIGEST:
        msg = "e has 32 bytes"
        raise MalformedEncoding(msg)


def _demand_verified(lib: Any, result: int) -> None:
    if result != 1:
        lib.ERR_clear_error()
        raise InvalidSignature


class _SignatureBuffer:
    """Where libcrypto writes a signature."""

    __slots__ = ("bytes", "length")

    def __init__(self) -> None:
        self.bytes = ffi.new("unsigned char[]", _MAX_SIGNATURE)
        self.length = ffi.new("size_t *", _MAX_SIGNATURE)

    def read(self, lib: Any, result: int) -> bytes:
        """Return the signature; raise ``InvalidKey`` if ``result`` says there is none."""
        if result != 1:
            lib.ERR_clear_error()
            msg = "SM2 signing failed"
            raise InvalidKey(msg)
        return bytes(ffi.buffer(self.bytes, self.length[0]))
