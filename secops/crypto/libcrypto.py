"""The system's libcrypto.so.3 (OpenSSL 3) through cffi in ABI mode: no compiler needed.

Only what SM2 needs. Objects are freed by ``ffi.gc``; the error queue is emptied after
every failure, so that one caller's error never shows up in another's.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import cffi

from secops.crypto.errors import EngineUnavailable

_DECLARATIONS: Final = """
typedef ... EVP_PKEY; typedef ... EVP_PKEY_CTX; typedef ... EVP_MD_CTX; typedef ... EVP_MD;
typedef ... PKCS8_PRIV_KEY_INFO;
unsigned long OpenSSL_version_num(void);
const char *OpenSSL_version(int type);
void ERR_clear_error(void);
void CRYPTO_free(void *ptr, const char *file, int line);
const EVP_MD *EVP_sm3(void);
EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *ctx);
void EVP_MD_CTX_set_pkey_ctx(EVP_MD_CTX *ctx, EVP_PKEY_CTX *pctx);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *pkey, void *engine);
EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_name(void *lib, const char *name, const char *query);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *ctx);
int EVP_PKEY_CTX_set1_id(EVP_PKEY_CTX *ctx, const void *id, size_t id_len);
int EVP_PKEY_keygen_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_generate(EVP_PKEY_CTX *ctx, EVP_PKEY **key);
int EVP_PKEY_public_check(EVP_PKEY_CTX *ctx);
int EVP_PKEY_check(EVP_PKEY_CTX *ctx);
int EVP_PKEY_is_a(const EVP_PKEY *pkey, const char *name);
void EVP_PKEY_free(EVP_PKEY *pkey);
int EVP_DigestSignInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const EVP_MD *type, void *e,
                       EVP_PKEY *pkey);
int EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *sig, size_t *siglen,
                   const unsigned char *tbs, size_t tbslen);
int EVP_DigestVerifyInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const EVP_MD *type, void *e,
                         EVP_PKEY *pkey);
int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t siglen,
                     const unsigned char *tbs, size_t tbslen);
int EVP_PKEY_sign_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_sign(EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *siglen,
                  const unsigned char *tbs, size_t tbslen);
int EVP_PKEY_verify_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t siglen,
                    const unsigned char *tbs, size_t tbslen);
int EVP_PKEY_encrypt_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_encrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *outlen,
                     const unsigned char *in, size_t inlen);
int EVP_PKEY_decrypt_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *outlen,
                     const unsigned char *in, size_t inlen);
EVP_PKEY *d2i_PUBKEY(EVP_PKEY **a, const unsigned char **in, long length);
int i2d_PUBKEY(const EVP_PKEY *a, unsigned char **out);
EVP_PKEY *d2i_AutoPrivateKey(EVP_PKEY **a, const unsigned char **in, long length);
PKCS8_PRIV_KEY_INFO *EVP_PKEY2PKCS8(const EVP_PKEY *pkey);
void PKCS8_PRIV_KEY_INFO_free(PKCS8_PRIV_KEY_INFO *a);
int i2d_PKCS8_PRIV_KEY_INFO(const PKCS8_PRIV_KEY_INFO *a, unsigned char **out);
"""
_LIBRARY: Final = "libcrypto.so.3"
_OPENSSL_3: Final = 0x30000000

ffi: Final = cffi.FFI()
ffi.cdef(_DECLARATIONS)
NULL: Final = ffi.NULL


@cache
def library() -> Any:
    """Return the opened library; raise ``EngineUnavailable`` where OpenSSL 3 is absent."""
    try:
        opened = ffi.dlopen(_LIBRARY)
    except OSError as error:
        msg = f"{_LIBRARY} was not found: SM2 is refused, never emulated"
        raise EngineUnavailable(msg) from error
    if opened.OpenSSL_version_num() < _OPENSSL_3:
        msg = f"{_LIBRARY} is older than OpenSSL 3: SM2 is refused, never emulated"
        raise EngineUnavailable(msg)
    return opened


def version() -> str:
    """Return the library's own version text."""
    return bytes(ffi.string(library().OpenSSL_version(0))).decode()


def owned_key(pointer: Any) -> Any:
    """Return ``pointer`` (EVP_PKEY *), freed when nobody refers to it any more."""
    return ffi.gc(pointer, library().EVP_PKEY_free)


def read_pointer(data: bytes) -> tuple[Any, Any]:
    """Return ``const unsigned char **`` for d2i calls, and the buffer to keep alive."""
    buffer = ffi.from_buffer("unsigned char[]", data)
    return ffi.new("const unsigned char **", ffi.cast("const unsigned char *", buffer)), buffer


def to_der(encoder: Any, thing: Any) -> bytes:
    """Return what an i2d function writes of ``thing``; b"" when it fails."""
    out = ffi.new("unsigned char **")
    length = encoder(thing, out)
    if length <= 0:
        library().ERR_clear_error()
        return b""
    try:
        return bytes(ffi.buffer(out[0], length))
    finally:
        ffi.memmove(out[0], bytes(length), length)
        library().CRYPTO_free(out[0], NULL, 0)
