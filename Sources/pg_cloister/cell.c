/*
 * Input and output of cells. The text form is `\x` and hexadecimal digits whatever bytea_output says, the binary form is
 * the cell itself. Input takes a well-formed version 1 cell of exactly the type's tag and algorithm, nothing else:
 * plaintext can't be stored by accident. What is in a cell is the enclave's to verify; here only its frame is.
 */
#include "cloister.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* ---- frames ---- */

/* The key id of a cell whose header is there. */
uint32
cell_key(const uint8 *cell)
{
	return (uint32) cell[4] << 24 | (uint32) cell[5] << 16 | (uint32) cell[6] << 8 | (uint32) cell[7];
}

/* The key id of a stored or constant cell; fetches no more than its header. */
uint32
cell_datum_key(Datum cell)
{
	bytea	   *header = DatumGetByteaPSlice(cell, 0, CELL_HEADER_BYTES);

	return cell_key((const uint8 *) VARDATA_ANY(header));
}

/* Two keys never meet: a comparison across them would be a wrong answer, not a false one. */
void
cell_require_same_key(uint32 a, uint32 b)
{
	if (a != b)
		ereport(ERROR,
				(errcode(ERRCODE_CLOISTER_CELL_REFUSED),
				 errmsg("CL7005: values under column key %u and column key %u cannot be compared", a, b),
				 errhint("Columns that are compared or joined need one key.")));
}

/* Whether the bytes have the frame of a version 1 cell of any type. */
static bool
is_cell(const uint8 *bytes, size_t count)
{
	uint8		role;
	uint32		key;

	if (count < CELL_SIV_OVERHEAD || bytes[0] != 1)
		return false;
	role = bytes[1] >> 4;
	switch (bytes[1] & 0x0f)
	{
		case CELL_GCM:
			if (count < CELL_GCM_OVERHEAD || role > CELL_RESULT)
				return false;
			break;
		case CELL_SIV:
			if (role != CELL_STORED)
				return false;
			break;
		default:
			return false;
	}
	key = cell_key(bytes);
	return key > 0 && key <= PG_INT32_MAX;
}

/*
 * Raises the error for input that is not a cell of the type. Such input may well be plaintext that somebody sent past the
 * proxy, so nothing may repeat it: not the message, not the statement in the server's log (errhidestmt), and not a
 * CONTEXT line. COPY's context quotes the failing line and a bind error's the parameter, and both are added by callbacks;
 * dropping the callbacks is the only way to silence them. That is safe because this never returns, and whoever catches
 * the error restores the stack (PG_TRY, PostgresMain).
 */
static void pg_attribute_noreturn()
refuse_input(int sqlstate, const char *type, bool other_type)
{
	error_context_stack = NULL;
	if (other_type)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("CL7002: the cell is not of type %s", type),
				 errhidestmt(true), errhidecontext(true)));
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("CL7001: type %s takes encrypted cells only; plaintext is refused", type),
			 errhint("The Cloister proxy encrypts values: connect to its port, not to the server's."),
			 errhidestmt(true), errhidecontext(true)));
}

/*
 * What a column (or anything else with a key id as its type modifier) takes: stored cells under that key. Operands are the
 * constants of queries; a column that took one would let a hostile server recycle it.
 */
static void
require_assignable(const uint8 *cell, int32 typmod)
{
	if (typmod < 0)
		return;
	if (cell_key(cell) != (uint32) typmod)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("CL7003: a cell under column key %u cannot be assigned where column key %d is declared",
						cell_key(cell), typmod)));
	if (cell[1] >> 4 != CELL_STORED)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("CL7004: the cell was made for use in a query and cannot be stored")));
}

static bytea *
accept_cell(bytea *cell, CellAlgorithm algorithm, uint8 tag, const char *type, int32 typmod, int sqlstate)
{
	const uint8 *bytes = (const uint8 *) VARDATA(cell);

	if (!is_cell(bytes, VARSIZE(cell) - VARHDRSZ))
		refuse_input(sqlstate, type, false);
	if ((bytes[1] & 0x0f) != algorithm || bytes[2] != tag)
		refuse_input(sqlstate, type, true);
	require_assignable(bytes, typmod);
	return cell;
}

/* ---- text and binary input, one pair of functions for each type ---- */

/* 0..15, or -1. PostgreSQL's hex_decode quotes the digit it dislikes, so it can't be used here. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static Datum
cell_in(FunctionCallInfo fcinfo, CellAlgorithm algorithm, uint8 tag, const char *type)
{
	const char *text = PG_GETARG_CSTRING(0);
	int32		typmod = PG_GETARG_INT32(2);
	size_t		length = strlen(text);
	size_t		count = length / 2 - 1;
	bytea	   *cell;

	if (length < 2 + 2 * CELL_SIV_OVERHEAD || length % 2 != 0 || text[0] != '\\' || text[1] != 'x')
		refuse_input(ERRCODE_INVALID_TEXT_REPRESENTATION, type, false);
	cell = (bytea *) palloc(VARHDRSZ + count);
	SET_VARSIZE(cell, VARHDRSZ + count);
	for (size_t i = 0; i < count; i++)
	{
		int			high = hex_digit(text[2 + 2 * i]);
		int			low = hex_digit(text[3 + 2 * i]);

		if (high < 0 || low < 0)
			refuse_input(ERRCODE_INVALID_TEXT_REPRESENTATION, type, false);
		VARDATA(cell)[i] = (char) (high << 4 | low);
	}
	PG_RETURN_BYTEA_P(accept_cell(cell, algorithm, tag, type, typmod, ERRCODE_INVALID_TEXT_REPRESENTATION));
}

static Datum
cell_recv(FunctionCallInfo fcinfo, CellAlgorithm algorithm, uint8 tag, const char *type)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	int32		typmod = PG_GETARG_INT32(2);
	int			count = buffer->len - buffer->cursor;
	bytea	   *cell = (bytea *) palloc(VARHDRSZ + count);

	SET_VARSIZE(cell, VARHDRSZ + count);
	pq_copymsgbytes(buffer, VARDATA(cell), count);
	PG_RETURN_BYTEA_P(accept_cell(cell, algorithm, tag, type, typmod, ERRCODE_INVALID_BINARY_REPRESENTATION));
}

#define CELL_INPUT(prefix, algorithm, name, tag) \
	PG_FUNCTION_INFO_V1(cloister_##prefix##_##name##_in); \
	Datum cloister_##prefix##_##name##_in(PG_FUNCTION_ARGS) \
	{ return cell_in(fcinfo, algorithm, tag, #prefix "_" #name); } \
	PG_FUNCTION_INFO_V1(cloister_##prefix##_##name##_recv); \
	Datum cloister_##prefix##_##name##_recv(PG_FUNCTION_ARGS) \
	{ return cell_recv(fcinfo, algorithm, tag, #prefix "_" #name); }
#define ENC_INPUT(name, tag) CELL_INPUT(enc, CELL_GCM, name, tag)
#define DET_INPUT(name, tag) CELL_INPUT(det, CELL_SIV, name, tag)

CLOISTER_TYPES(ENC_INPUT)
CLOISTER_TYPES(DET_INPUT)

/* ---- output, the same for all types ---- */

PG_FUNCTION_INFO_V1(cloister_cell_out);
PG_FUNCTION_INFO_V1(cloister_cell_send);

Datum
cloister_cell_out(PG_FUNCTION_ARGS)
{
	bytea	   *cell = PG_GETARG_BYTEA_PP(0);
	size_t		count = VARSIZE_ANY_EXHDR(cell);
	char	   *text = palloc(2 + 2 * count + 1);

	text[0] = '\\';
	text[1] = 'x';
	text[2 + hex_encode(VARDATA_ANY(cell), count, text + 2)] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
cloister_cell_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
}

/* ---- type modifier: the key id ---- */

PG_FUNCTION_INFO_V1(cloister_typmod_in);
PG_FUNCTION_INFO_V1(cloister_typmod_out);
PG_FUNCTION_INFO_V1(cloister_enforce_typmod);

Datum
cloister_typmod_in(PG_FUNCTION_ARGS)
{
	int			count;
	int32	   *modifiers = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &count);

	if (count != 1 || modifiers[0] <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("CL7006: the type modifier of an encrypted type is one column key id, a positive number")));
	PG_RETURN_INT32(modifiers[0]);
}

Datum
cloister_typmod_out(PG_FUNCTION_ARGS)
{
	int32		typmod = PG_GETARG_INT32(0);

	PG_RETURN_CSTRING(typmod >= 0 ? psprintf("(%d)", typmod) : pstrdup(""));
}

/* The length-coercion cast that PostgreSQL applies on assignment: checks, and returns the cell as it is. */
Datum
cloister_enforce_typmod(PG_FUNCTION_ARGS)
{
	bytea	   *header = DatumGetByteaPSlice(PG_GETARG_DATUM(0), 0, CELL_HEADER_BYTES);

	require_assignable((const uint8 *) VARDATA_ANY(header), PG_GETARG_INT32(1));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
