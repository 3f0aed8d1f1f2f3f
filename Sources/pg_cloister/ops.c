/*
 * Operators, operator classes' support functions, MIN and MAX. All enc_T share the same C functions, for the enclave
 * reads the type in the cells; so do all det_T.
 */
#include "cloister.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

/*
 * Hash tables compare only what hashes alike, and the same value hashes differently under two keys: a join or an IN list
 * across keys would silently find nothing. So one hash function call site sees one key. (The planner's guard in
 * selfuncs.c finds most of these sooner.) Call sites in the type cache serve many columns and are left alone.
 */
static void
require_one_key(FmgrInfo *flinfo, uint32 key)
{
	uint32	   *seen = (uint32 *) flinfo->fn_extra;

	if (seen != NULL)
		cell_require_same_key(*seen, key);
	else if (flinfo->fn_mcxt != CacheMemoryContext)
	{
		seen = (uint32 *) MemoryContextAlloc(flinfo->fn_mcxt, sizeof(uint32));
		*seen = key;
		flinfo->fn_extra = seen;
	}
}

/* ---- enc_T: the enclave decides ---- */

static int
enc_compare(FunctionCallInfo fcinfo)
{
	bytea	   *a = PG_GETARG_BYTEA_PP(0);
	bytea	   *b = PG_GETARG_BYTEA_PP(1);
	int			order;

	order = enclave_compare((const uint8 *) VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
							(const uint8 *) VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

static uint64
enc_hash(FunctionCallInfo fcinfo)
{
	bytea	   *cell = PG_GETARG_BYTEA_PP(0);
	uint64		hash;

	require_one_key(fcinfo->flinfo, cell_key((const uint8 *) VARDATA_ANY(cell)));
	hash = enclave_hash((const uint8 *) VARDATA_ANY(cell), VARSIZE_ANY_EXHDR(cell));
	PG_FREE_IF_COPY(cell, 0);
	return hash;
}

#define ENC_OPERATOR(name, test) \
	PG_FUNCTION_INFO_V1(cloister_enc_##name); \
	Datum cloister_enc_##name(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(enc_compare(fcinfo) test 0); }

ENC_OPERATOR(eq, ==)
ENC_OPERATOR(ne, !=)
ENC_OPERATOR(lt, <)
ENC_OPERATOR(le, <=)
ENC_OPERATOR(gt, >)
ENC_OPERATOR(ge, >=)

static bool
enc_match(FunctionCallInfo fcinfo, uint32 kind)
{
	bytea	   *value = PG_GETARG_BYTEA_PP(0);
	bytea	   *pattern = PG_GETARG_BYTEA_PP(1);
	bool		matches;

	matches = enclave_match(kind, (const uint8 *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
							(const uint8 *) VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern));
	PG_FREE_IF_COPY(value, 0);
	PG_FREE_IF_COPY(pattern, 1);
	return matches;
}

#define ENC_MATCH(name, kind, expected) \
	PG_FUNCTION_INFO_V1(cloister_enc_##name); \
	Datum cloister_enc_##name(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(enc_match(fcinfo, kind) == expected); }

ENC_MATCH(like, CLOISTER_LIKE, true)
ENC_MATCH(nlike, CLOISTER_LIKE, false)
ENC_MATCH(iclike, CLOISTER_ILIKE, true)
ENC_MATCH(icnlike, CLOISTER_ILIKE, false)
ENC_MATCH(starts_with, CLOISTER_PREFIX, true)

PG_FUNCTION_INFO_V1(cloister_enc_cmp);
PG_FUNCTION_INFO_V1(cloister_enc_hash);
PG_FUNCTION_INFO_V1(cloister_enc_hash_extended);
PG_FUNCTION_INFO_V1(cloister_enc_larger);
PG_FUNCTION_INFO_V1(cloister_enc_smaller);

Datum
cloister_enc_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(enc_compare(fcinfo));
}

Datum
cloister_enc_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_UINT32((uint32) enc_hash(fcinfo));
}

/* With seed 0 the low half must equal cloister_enc_hash, as everywhere in PostgreSQL. */
Datum
cloister_enc_hash_extended(PG_FUNCTION_ARGS)
{
	uint64		hash = enc_hash(fcinfo);
	uint64		seed = (uint64) PG_GETARG_INT64(1);

	PG_RETURN_UINT64(seed == 0 ? hash : hash_bytes_extended((const unsigned char *) &hash, sizeof(hash), seed));
}

Datum
cloister_enc_larger(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(enc_compare(fcinfo) >= 0 ? 0 : 1));
}

Datum
cloister_enc_smaller(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(enc_compare(fcinfo) <= 0 ? 0 : 1));
}

/* ---- det_T: bytes decide; no enclave ---- */

static int
det_compare(FunctionCallInfo fcinfo)
{
	bytea	   *a = PG_GETARG_BYTEA_PP(0);
	bytea	   *b = PG_GETARG_BYTEA_PP(1);
	size_t		a_bytes = VARSIZE_ANY_EXHDR(a);
	size_t		b_bytes = VARSIZE_ANY_EXHDR(b);
	int			order;

	cell_require_same_key(cell_key((const uint8 *) VARDATA_ANY(a)), cell_key((const uint8 *) VARDATA_ANY(b)));
	order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_bytes, b_bytes));
	if (order == 0)
		order = a_bytes < b_bytes ? -1 : a_bytes > b_bytes;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order < 0 ? -1 : order > 0;
}

#define DET_OPERATOR(name, test) \
	PG_FUNCTION_INFO_V1(cloister_det_##name); \
	Datum cloister_det_##name(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(det_compare(fcinfo) test 0); }

DET_OPERATOR(eq, ==)
DET_OPERATOR(ne, !=)
DET_OPERATOR(lt, <)
DET_OPERATOR(le, <=)
DET_OPERATOR(gt, >)
DET_OPERATOR(ge, >=)

PG_FUNCTION_INFO_V1(cloister_det_cmp);
PG_FUNCTION_INFO_V1(cloister_det_hash);
PG_FUNCTION_INFO_V1(cloister_det_hash_extended);

Datum
cloister_det_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(det_compare(fcinfo));
}

/* The bytes' hash; seed 0 gives a 64-bit hash whose low half is hash_bytes(). */
static uint64
det_hash(FunctionCallInfo fcinfo, uint64 seed)
{
	bytea	   *cell = PG_GETARG_BYTEA_PP(0);
	uint64		hash;

	require_one_key(fcinfo->flinfo, cell_key((const uint8 *) VARDATA_ANY(cell)));
	hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(cell), VARSIZE_ANY_EXHDR(cell), seed);
	PG_FREE_IF_COPY(cell, 0);
	return hash;
}

Datum
cloister_det_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_UINT32((uint32) det_hash(fcinfo, 0));
}

Datum
cloister_det_hash_extended(PG_FUNCTION_ARGS)
{
	PG_RETURN_UINT64(det_hash(fcinfo, (uint64) PG_GETARG_INT64(1)));
}
