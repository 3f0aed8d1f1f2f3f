#pragma once
#include <unicode/ucol.h>
#include <unicode/udata.h>
#include <unicode/ustring.h>

/* ICU's functions carry its version in their names, by macros that Swift can't import; these do not. Each returns 0 or NULL where
 * ICU reports an error; its warnings (a locale without rules of its own has the root's) are none. */

/* Whatever the host has in its folders, only the data linked into the program counts. */
static inline int cloister_icu_use_linked_data(void) {
    UErrorCode status = U_ZERO_ERROR;
    udata_setFileAccess(UDATA_NO_FILES, &status);
    return U_SUCCESS(status);
}

static inline UCollator *cloister_icu_open(const char *locale) {
    UErrorCode status = U_ZERO_ERROR;
    UCollator *collator = ucol_open(locale, &status);
    if (U_SUCCESS(status)) return collator;
    if (collator != NULL) ucol_close(collator);
    return NULL;
}

static inline void cloister_icu_close(UCollator *collator) { ucol_close(collator); }

/* *order: -1, 0, 1. */
static inline int cloister_icu_compare(const UCollator *collator, const char *a, int32_t a_count, const char *b, int32_t b_count,
                                       int32_t *order) {
    UErrorCode status = U_ZERO_ERROR;
    *order = ucol_strcollUTF8(collator, a, a_count, b, b_count, &status);
    return U_SUCCESS(status);
}

/* *count: the length in 16-bit units; more than `room` if it did not fit. */
static inline int cloister_icu_decode(const char *text, int32_t text_count, UChar *into, int32_t room, int32_t *count) {
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(into, room, count, text, text_count, &status);
    return U_SUCCESS(status) || status == U_BUFFER_OVERFLOW_ERROR;
}

static inline int cloister_icu_encode(const UChar *text, int32_t text_count, char *into, int32_t room, int32_t *count) {
    UErrorCode status = U_ZERO_ERROR;
    u_strToUTF8(into, room, count, text, text_count, &status);
    return U_SUCCESS(status) || status == U_BUFFER_OVERFLOW_ERROR;
}

/* The key's length with its final zero; more than `room` if it did not fit. */
static inline int32_t cloister_icu_sort_key(const UCollator *collator, const UChar *text, int32_t count, uint8_t *into, int32_t room) {
    return ucol_getSortKey(collator, text, count, into, room);
}

static inline int cloister_icu_lower(const char *locale, const UChar *text, int32_t text_count, UChar *into, int32_t room,
                                     int32_t *count) {
    UErrorCode status = U_ZERO_ERROR;
    *count = u_strToLower(into, room, text, text_count, locale, &status);
    return U_SUCCESS(status) || status == U_BUFFER_OVERFLOW_ERROR;
}
