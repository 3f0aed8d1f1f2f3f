/*
 * SUM, AVG, STDDEV, VARIANCE of enc_T. The transition function only collects a group's cells; the final function has the
 * enclave work out the result, whose state never leaves it, and gives a cell that can be shown to the client and nothing else.
 * Whether it may, and how small a group, is said by the column key's policy.
 */
#include "cloister.h"

#include "utils/memutils.h"

typedef struct Group
{
	const bytea **cells;
	size_t		count;
	size_t		room;
} Group;

PG_FUNCTION_INFO_V1(cloister_enc_collect);

Datum
cloister_enc_collect(PG_FUNCTION_ARGS)
{
	Group	   *group = PG_ARGISNULL(0) ? NULL : (Group *) PG_GETARG_POINTER(0);
	MemoryContext context;
	MemoryContext old;

	if (AggCheckCallContext(fcinfo, &context) == AGG_CONTEXT_WINDOW)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("CL7028: aggregates of encrypted values cannot be used as window functions")));
	if (AggCheckCallContext(fcinfo, &context) != AGG_CONTEXT_AGGREGATE)
		elog(ERROR, "cloister_enc_collect was called outside of an aggregate");
	if (group != NULL && PG_ARGISNULL(1))
		PG_RETURN_POINTER(group);
	old = MemoryContextSwitchTo(context);
	if (group == NULL)
	{
		group = (Group *) palloc0(sizeof(Group));
		group->room = 16;
		group->cells = (const bytea **) palloc(group->room * sizeof(bytea *));
	}
	if (!PG_ARGISNULL(1))
	{
		if (group->count == group->room)
		{
			group->room *= 2;
			group->cells = (const bytea **) repalloc_huge(group->cells, group->room * sizeof(bytea *));
		}
		group->cells[group->count++] = PG_GETARG_BYTEA_P_COPY(1);
	}
	MemoryContextSwitchTo(old);
	PG_RETURN_POINTER(group);
}

/* By writer id and counter: bytes 8..23, which no two cells of a key share. Input has checked that they are there. */
static int
order_of_cells(const void *a, const void *b)
{
	const bytea *x = *(const bytea *const *) a;
	const bytea *y = *(const bytea *const *) b;

	return memcmp(VARDATA_ANY(x) + CELL_HEADER_BYTES, VARDATA_ANY(y) + CELL_HEADER_BYTES, 16);
}

static Datum
finish(FunctionCallInfo fcinfo, uint32 function, bool ordered)
{
	const Group *group = PG_ARGISNULL(0) ? NULL : (const Group *) PG_GETARG_POINTER(0);
	const bytea **cells;

	if (group == NULL || group->count == 0)
		PG_RETURN_NULL();
	/* The state may be used again (aggregates that share it), so its order is kept. */
	cells = (const bytea **) MemoryContextAllocHuge(CurrentMemoryContext, group->count * sizeof(bytea *));
	memcpy(cells, group->cells, group->count * sizeof(bytea *));
	for (size_t i = 1; i < group->count; i++)
		cell_require_same_key(cell_key((const uint8 *) VARDATA_ANY(cells[0])), cell_key((const uint8 *) VARDATA_ANY(cells[i])));
	if (!ordered)
		qsort(cells, group->count, sizeof(bytea *), order_of_cells);
	PG_RETURN_BYTEA_P(enclave_aggregate(function, cells, group->count));
}

/* Of exact types the order is the enclave's wish; floats are added in the order of the rows, as PostgreSQL does. */
#define AGGREGATE(name, function) \
	PG_FUNCTION_INFO_V1(cloister_enc_##name); \
	Datum cloister_enc_##name(PG_FUNCTION_ARGS) { return finish(fcinfo, function, false); } \
	PG_FUNCTION_INFO_V1(cloister_enc_float_##name); \
	Datum cloister_enc_float_##name(PG_FUNCTION_ARGS) { return finish(fcinfo, function, true); }

AGGREGATE(sum, CLOISTER_SUM)
AGGREGATE(avg, CLOISTER_AVG)
AGGREGATE(stddev_pop, CLOISTER_STDDEV_POP)
AGGREGATE(stddev_samp, CLOISTER_STDDEV_SAMP)
AGGREGATE(var_pop, CLOISTER_VAR_POP)
AGGREGATE(var_samp, CLOISTER_VAR_SAMP)
