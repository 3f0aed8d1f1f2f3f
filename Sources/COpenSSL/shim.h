#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

/* Macros that Swift can't import, and parameter names that must outlive the OSSL_PARAM that points at them. */
static inline int cloister_openssl_public_key_selection(void) { return EVP_PKEY_PUBLIC_KEY; }
static inline const char *cloister_openssl_name_digest(void) { return OSSL_MAC_PARAM_DIGEST; }
static inline const char *cloister_openssl_name_cipher(void) { return OSSL_MAC_PARAM_CIPHER; }
static inline const char *cloister_openssl_name_key(void) { return OSSL_KDF_PARAM_KEY; }
static inline const char *cloister_openssl_name_salt(void) { return OSSL_KDF_PARAM_SALT; }
static inline const char *cloister_openssl_name_info(void) { return OSSL_KDF_PARAM_INFO; }
static inline const char *cloister_openssl_name_group(void) { return OSSL_PKEY_PARAM_GROUP_NAME; }
static inline const char *cloister_openssl_name_public(void) { return OSSL_PKEY_PARAM_PUB_KEY; }
