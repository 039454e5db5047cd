/* A crypto machine in software for tests: the calls of GM/T 0018-2012 that we use, with real
 * results by libcrypto. It lives in the folder its .so lies in:
 *   <index>.key    PKCS#8 (DER) of the signing pair at that index
 *   <index>.kek    16 bytes, a key-encrypting key (SM4)
 *   password       if it is there, private keys need an access right obtained with it
 *   fault          "busy", "gone", "wrong" (signatures), "hash" (digests), or "hang MILLISECONDS"
 * Two copies of the file in two folders are two machines. Prototypes are written down here, so
 * that no header of OpenSSL is needed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef ECC_BYTES
#define ECC_BYTES 64
#endif

typedef struct evp_pkey EVP_PKEY;
typedef struct evp_pkey_ctx EVP_PKEY_CTX;
typedef struct evp_cipher EVP_CIPHER;
typedef struct evp_cipher_ctx EVP_CIPHER_CTX;
typedef struct evp_md EVP_MD;
typedef struct evp_md_ctx EVP_MD_CTX;
typedef struct ecdsa_sig ECDSA_SIG;
typedef struct bignum BIGNUM;
EVP_PKEY *d2i_AutoPrivateKey(EVP_PKEY **, const unsigned char **, long);
EVP_PKEY *d2i_PUBKEY(EVP_PKEY **, const unsigned char **, long);
int i2d_PUBKEY(const EVP_PKEY *, unsigned char **);
void EVP_PKEY_free(EVP_PKEY *);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *, void *);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *);
int EVP_PKEY_sign_init(EVP_PKEY_CTX *);
int EVP_PKEY_sign(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
int EVP_PKEY_verify_init(EVP_PKEY_CTX *);
int EVP_PKEY_verify(EVP_PKEY_CTX *, const unsigned char *, size_t, const unsigned char *, size_t);
ECDSA_SIG *ECDSA_SIG_new(void);
void ECDSA_SIG_free(ECDSA_SIG *);
int ECDSA_SIG_set0(ECDSA_SIG *, BIGNUM *, BIGNUM *);
const BIGNUM *ECDSA_SIG_get0_r(const ECDSA_SIG *);
const BIGNUM *ECDSA_SIG_get0_s(const ECDSA_SIG *);
ECDSA_SIG *d2i_ECDSA_SIG(ECDSA_SIG **, const unsigned char **, long);
int i2d_ECDSA_SIG(const ECDSA_SIG *, unsigned char **);
BIGNUM *BN_bin2bn(const unsigned char *, int, BIGNUM *);
int BN_bn2binpad(const BIGNUM *, unsigned char *, int);
const EVP_CIPHER *EVP_sm4_ecb(void);
const EVP_CIPHER *EVP_sm4_cbc(void);
EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *);
int EVP_CipherInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, void *, const unsigned char *,
                      const unsigned char *, int);
int EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *, int);
int EVP_CipherUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
const EVP_MD *EVP_sm3(void);
EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *);
int EVP_DigestInit_ex(EVP_MD_CTX *, const EVP_MD *, void *);
int EVP_DigestUpdate(EVP_MD_CTX *, const void *, size_t);
int EVP_DigestFinal_ex(EVP_MD_CTX *, unsigned char *, unsigned int *);
int RAND_bytes(unsigned char *, int);

enum {
  OK = 0,
  UNKNOWN = 0x01000001,
  COMMFAIL = 0x01000003,
  HARDFAIL = 0x01000004,
  PARDENY = 0x01000007,
  KEYNOTEXIST = 0x01000008,
  ALGNOTSUPPORT = 0x01000009,
  SIGNERR = 0x0100000D,
  VERIFYERR = 0x0100000E,
  SYMOPERR = 0x0100000F,
  STEPERR = 0x01000010,
  PRKRERR = 0x01000018,
  INARGERR = 0x0100001D
};
enum { SM3 = 1, SM2_1 = 0x00020200, SM4_ECB = 0x401, SM4_CBC = 0x402, SM4_MAC = 0x410 };
enum { BLOCK = 16, DIGEST = 32, FIELD = 32, MOST_KEYS = 256, DER = 256 };

typedef struct {
  unsigned int bits;
  unsigned char x[ECC_BYTES], y[ECC_BYTES];
} PublicKey;
typedef struct {
  unsigned char r[ECC_BYTES], s[ECC_BYTES];
} Signature;
typedef struct {
  unsigned char issuer[40], name[16], serial[16];
  unsigned int version, standard, asymmetric[2], symmetric, hash, buffer;
} DeviceInfo;
typedef struct {
  unsigned char granted[MOST_KEYS];
  EVP_MD_CTX *digest;
} Session;
typedef struct {
  unsigned char bytes[BLOCK];
} Key;

static const unsigned char SPKI[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                     0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x81, 0x1C,
                                     0xCF, 0x55, 0x01, 0x82, 0x2D, 0x03, 0x42, 0x00, 0x04};

static long read_file(const char *name, unsigned char *into, size_t most) {
  char path[4096];
  Dl_info here;
  if (!dladdr((void *)&read_file, &here)) return -1;
  const char *slash = strrchr(here.dli_fname, '/');
  int folder = slash ? (int)(slash - here.dli_fname) : 1;
  snprintf(path, sizeof path, "%.*s/%s", folder, slash ? here.dli_fname : ".", name);
  FILE *file = fopen(path, "rb");
  if (!file) return -1;
  long count = (long)fread(into, 1, most, file);
  fclose(file);
  return count;
}

static int is_fault(const char *word) {
  unsigned char text[64] = {0};
  return read_file("fault", text, sizeof text - 1) > 0 &&
         strncmp((char *)text, word, strlen(word)) == 0;
}

/* What every call meets first. */
static int enter(void) {
  unsigned char text[64] = {0};
  if (read_file("fault", text, sizeof text - 1) <= 0) return OK;
  if (strncmp((char *)text, "gone", 4) == 0) return COMMFAIL;
  if (strncmp((char *)text, "busy", 4) == 0) return HARDFAIL;
  if (strncmp((char *)text, "hang ", 5) == 0) {
    long milliseconds = atol((char *)text + 5);
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
  }
  return OK;
}

static EVP_PKEY *pair_at(unsigned int index) {
  unsigned char der[DER];
  char name[32];
  snprintf(name, sizeof name, "%u.key", index);
  long length = read_file(name, der, sizeof der);
  const unsigned char *at = der;
  return length > 0 ? d2i_AutoPrivateKey(NULL, &at, length) : NULL;
}

static int crypt_blocks(const unsigned char *key, unsigned int algorithm, const unsigned char *iv,
                        const unsigned char *in, unsigned int length, unsigned char *out,
                        int encrypting) {
  if (length % BLOCK) return INARGERR;
  const EVP_CIPHER *cipher = algorithm == SM4_ECB ? EVP_sm4_ecb() : EVP_sm4_cbc();
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int written = 0, sound = context != NULL;
  sound = sound && EVP_CipherInit_ex(context, cipher, NULL, key, iv, encrypting) > 0;
  sound = sound && EVP_CIPHER_CTX_set_padding(context, 0) > 0;
  sound = sound && EVP_CipherUpdate(context, out, &written, in, (int)length) > 0;
  EVP_CIPHER_CTX_free(context);
  return sound && written == (int)length ? OK : SYMOPERR;
}

int SDF_OpenDevice(void **device) {
  int fault = enter();
  if (fault) return fault;
  *device = malloc(1);
  return OK;
}

int SDF_CloseDevice(void *device) {
  free(device);
  return OK;
}

int SDF_OpenSession(void *device, void **session) {
  int fault = enter();
  if (fault) return fault;
  if (!device) return INARGERR;
  *session = calloc(1, sizeof(Session));
  return OK;
}

int SDF_CloseSession(void *handle) {
  Session *session = handle;
  EVP_MD_CTX_free(session->digest);
  free(session);
  return OK;
}

int SDF_GetDeviceInfo(void *session, DeviceInfo *info) {
  int fault = enter();
  if (fault) return fault;
  if (!session) return INARGERR;
  memset(info, 0, sizeof *info);
  memcpy(info->issuer, "govsecops tests", 15);
  memcpy(info->name, "SDF mock", 8);
  memcpy(info->serial, "0000000000000001", 16);
  info->version = info->standard = 1;
  info->asymmetric[0] = SM2_1;
  info->asymmetric[1] = 256;
  info->symmetric = SM4_ECB | SM4_CBC | SM4_MAC;
  info->hash = SM3;
  info->buffer = 65536;
  return OK;
}

int SDF_GenerateRandom(void *session, unsigned int length, unsigned char *into) {
  int fault = enter();
  if (fault) return fault;
  return session && RAND_bytes(into, (int)length) > 0 ? OK : UNKNOWN;
}

int SDF_GetPrivateKeyAccessRight(void *handle, unsigned int index, unsigned char *password,
                                 unsigned int length) {
  unsigned char wanted[256];
  int fault = enter();
  if (fault) return fault;
  long size = read_file("password", wanted, sizeof wanted);
  if (index >= MOST_KEYS) return KEYNOTEXIST;
  if (size >= 0 && ((unsigned int)size != length || memcmp(wanted, password, length)))
    return PRKRERR;
  ((Session *)handle)->granted[index] = 1;
  return OK;
}

int SDF_ReleasePrivateKeyAccessRight(void *handle, unsigned int index) {
  if (index < MOST_KEYS) ((Session *)handle)->granted[index] = 0;
  return OK;
}

int SDF_ExportSignPublicKey_ECC(void *session, unsigned int index, PublicKey *public) {
  unsigned char der[DER], *at = der;
  int fault = enter();
  if (fault) return fault;
  EVP_PKEY *pair = session ? pair_at(index) : NULL;
  if (!pair) return KEYNOTEXIST;
  int length = i2d_PUBKEY(pair, &at);
  EVP_PKEY_free(pair);
  if (length != (int)sizeof SPKI + 2 * FIELD) return KEYNOTEXIST;
  memset(public, 0, sizeof *public);
  public->bits = 256;
  memcpy(public->x + ECC_BYTES - FIELD, der + sizeof SPKI, FIELD);
  memcpy(public->y + ECC_BYTES - FIELD, der + sizeof SPKI + FIELD, FIELD);
  return OK;
}

int SDF_InternalSign_ECC(void *handle, unsigned int index, unsigned char *digest,
                         unsigned int length, Signature *signature) {
  unsigned char der[DER], nothing;
  size_t size = sizeof der;
  Session *session = handle;
  int fault = enter();
  if (fault) return fault;
  if (length != DIGEST || index >= MOST_KEYS) return INARGERR;
  if (!session->granted[index] && read_file("password", &nothing, 1) >= 0) return PARDENY;
  EVP_PKEY *pair = pair_at(index);
  if (!pair) return KEYNOTEXIST;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pair, NULL);
  int sound = context && EVP_PKEY_sign_init(context) > 0 &&
              EVP_PKEY_sign(context, der, &size, digest, length) > 0;
  const unsigned char *at = der;
  ECDSA_SIG *parsed = sound ? d2i_ECDSA_SIG(NULL, &at, (long)size) : NULL;
  if (parsed) {
    memset(signature, 0, sizeof *signature);
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature->r + ECC_BYTES - FIELD, FIELD);
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature->s + ECC_BYTES - FIELD, FIELD);
    if (is_fault("wrong")) signature->s[ECC_BYTES - 1] ^= 1;
    ECDSA_SIG_free(parsed);
  }
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(pair);
  return parsed ? OK : SIGNERR;
}

static int verify_with(EVP_PKEY *key, unsigned char *digest, unsigned int length,
                       Signature *signature) {
  unsigned char *der = NULL;
  ECDSA_SIG *parsed = ECDSA_SIG_new();
  ECDSA_SIG_set0(parsed, BN_bin2bn(signature->r, ECC_BYTES, NULL),
                 BN_bin2bn(signature->s, ECC_BYTES, NULL));
  int size = i2d_ECDSA_SIG(parsed, &der);
  EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
  int right = context && EVP_PKEY_verify_init(context) > 0 &&
              EVP_PKEY_verify(context, der, (size_t)size, digest, length) == 1;
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  ECDSA_SIG_free(parsed);
  free(der);
  return right ? OK : VERIFYERR;
}

int SDF_InternalVerify_ECC(void *session, unsigned int index, unsigned char *digest,
                           unsigned int length, Signature *signature) {
  int fault = enter();
  if (fault) return fault;
  return session ? verify_with(pair_at(index), digest, length, signature) : INARGERR;
}

int SDF_ExternalVerify_ECC(void *session, unsigned int algorithm, PublicKey *public,
                           unsigned char *digest, unsigned int length, Signature *signature) {
  unsigned char der[sizeof SPKI + 2 * FIELD];
  const unsigned char *at = der;
  int fault = enter();
  if (fault) return fault;
  if (!session || algorithm != SM2_1) return ALGNOTSUPPORT;
  memcpy(der, SPKI, sizeof SPKI);
  memcpy(der + sizeof SPKI, public->x + ECC_BYTES - FIELD, FIELD);
  memcpy(der + sizeof SPKI + FIELD, public->y + ECC_BYTES - FIELD, FIELD);
  return verify_with(d2i_PUBKEY(NULL, &at, sizeof der), digest, length, signature);
}

static int kek_at(unsigned int index, unsigned char *into) {
  char name[32];
  snprintf(name, sizeof name, "%u.kek", index);
  return read_file(name, into, BLOCK) == BLOCK;
}

int SDF_GenerateKeyWithKEK(void *session, unsigned int bits, unsigned int algorithm,
                           unsigned int index, unsigned char *wrapped, unsigned int *length,
                           void **handle) {
  unsigned char kek[BLOCK];
  int fault = enter();
  if (fault) return fault;
  if (!session || bits != 128 || algorithm != SM4_ECB) return ALGNOTSUPPORT;
  if (!kek_at(index, kek)) return KEYNOTEXIST;
  Key *key = malloc(sizeof *key);
  RAND_bytes(key->bytes, BLOCK);
  *length = BLOCK;
  *handle = key;
  return crypt_blocks(kek, SM4_ECB, NULL, key->bytes, BLOCK, wrapped, 1);
}

int SDF_ImportKeyWithKEK(void *session, unsigned int algorithm, unsigned int index,
                         unsigned char *wrapped, unsigned int length, void **handle) {
  unsigned char kek[BLOCK];
  int fault = enter();
  if (fault) return fault;
  if (!session || length != BLOCK || algorithm != SM4_ECB) return ALGNOTSUPPORT;
  if (!kek_at(index, kek)) return KEYNOTEXIST;
  Key *key = malloc(sizeof *key);
  *handle = key;
  return crypt_blocks(kek, SM4_ECB, NULL, wrapped, BLOCK, key->bytes, 0);
}

int SDF_DestroyKey(void *session, void *handle) {
  memset(handle, 0, sizeof(Key));
  free(handle);
  return session ? OK : INARGERR;
}

int SDF_Encrypt(void *session, void *key, unsigned int algorithm, unsigned char *iv,
                unsigned char *in, unsigned int length, unsigned char *out, unsigned int *size) {
  int fault = enter();
  if (fault || !session) return fault ? fault : INARGERR;
  *size = length;
  return crypt_blocks(((Key *)key)->bytes, algorithm, iv, in, length, out, 1);
}

int SDF_Decrypt(void *session, void *key, unsigned int algorithm, unsigned char *iv,
                unsigned char *in, unsigned int length, unsigned char *out, unsigned int *size) {
  int fault = enter();
  if (fault || !session) return fault ? fault : INARGERR;
  *size = length;
  return crypt_blocks(((Key *)key)->bytes, algorithm, iv, in, length, out, 0);
}

int SDF_CalculateMAC(void *session, void *key, unsigned int algorithm, unsigned char *iv,
                     unsigned char *in, unsigned int length, unsigned char *mac,
                     unsigned int *size) {
  int fault = enter();
  if (fault || !session) return fault ? fault : INARGERR;
  if (algorithm != SM4_MAC || !length || length % BLOCK) return ALGNOTSUPPORT;
  unsigned char *out = malloc(length);
  int failed = crypt_blocks(((Key *)key)->bytes, SM4_CBC, iv, in, length, out, 1);
  if (!failed) memcpy(mac, out + length - BLOCK, BLOCK);
  free(out);
  *size = BLOCK;
  return failed;
}

int SDF_HashInit(void *handle, unsigned int algorithm, PublicKey *public, unsigned char *id,
                 unsigned int length) {
  Session *session = handle;
  int fault = enter();
  if (fault) return fault;
  if (algorithm != SM3 || public || id || length) return ALGNOTSUPPORT;
  EVP_MD_CTX_free(session->digest);
  session->digest = EVP_MD_CTX_new();
  return EVP_DigestInit_ex(session->digest, EVP_sm3(), NULL) > 0 ? OK : UNKNOWN;
}

int SDF_HashUpdate(void *handle, unsigned char *data, unsigned int length) {
  Session *session = handle;
  if (!session->digest) return STEPERR;
  return EVP_DigestUpdate(session->digest, data, length) > 0 ? OK : UNKNOWN;
}

int SDF_HashFinal(void *handle, unsigned char *into, unsigned int *length) {
  Session *session = handle;
  if (!session->digest) return STEPERR;
  int sound = EVP_DigestFinal_ex(session->digest, into, length) > 0;
  EVP_MD_CTX_free(session->digest);
  session->digest = NULL;
  if (is_fault("hash")) into[0] ^= 1;
  return sound ? OK : UNKNOWN;
}
