/*
 * ANALYZE of encrypted columns. It keeps the null fraction, the width and a number of distinct values, and stores no cell:
 * no most common values, no histogram (a sorted sample would be the order of the column on disk), no correlation.
 *
 * Distinct values of det_T are distinct cells, counted in the sample. Of enc_T every cell differs and only the enclave
 * could tell; ANALYZE, and so autovacuum, shall not depend on it. The number is then stated as unknown (0), for which the
 * planner has a default; ALTER TABLE … ALTER COLUMN … SET (n_distinct = …) tells it better.
 */
#include "cloister.h"

#include <math.h>

#include "access/detoast.h"
#include "commands/vacuum.h"
#include "common/hashfn.h"

/* Sampled rows per unit of the statistics target, and the width above which a value is not fetched: as in analyze.c. */
#define ROWS_PER_TARGET 300
#define WIDE 1024

static int
order_hashes(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/*
 * pg_statistic.stadistinct from a sample: `distinct` values, `once` of which occur once, in `count` of `total` rows; the
 * estimator of Haas and Stokes that PostgreSQL uses (compute_distinct_stats). Negative: a multiple of the row count.
 */
static double
estimate_distinct(double count, double distinct, double once, double total)
{
	double		estimate;

	if (count == 0)
		return 0.0;
	if (once == distinct && distinct == count)
		return -1.0;
	if (once == 0)
		estimate = distinct;	/* every value was seen again: there are no others */
	else
		estimate = count * distinct / (count - once + once * count / Max(total, count));
	estimate = floor(Min(Max(estimate, distinct), total) + 0.5);
	return estimate > 0.1 * total ? -(estimate / total) : estimate;
}

static void
compute(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch, int rows, double total, bool by_bytes)
{
	uint64	   *hashes = (uint64 *) palloc(Max(rows, 1) * sizeof(uint64));
	int			hashed = 0;
	int			wide = 0;
	int			present = 0;
	double		width = 0;

	for (int i = 0; i < rows; i++)
	{
		bool		is_null;
		Datum		value = fetch(stats, i, &is_null);

		vacuum_delay_point();
		if (is_null)
			continue;
		present++;
		width += VARSIZE_ANY(DatumGetPointer(value));
		if (!by_bytes)
			continue;
		if (toast_raw_datum_size(value) > WIDE)
			wide++;				/* taken as distinct, like PostgreSQL's too-wide values */
		else
		{
			bytea	   *cell = DatumGetByteaPP(value);

			hashes[hashed++] = hash_bytes_extended((const unsigned char *) VARDATA_ANY(cell), VARSIZE_ANY_EXHDR(cell), 0);
			if ((Pointer) cell != DatumGetPointer(value))
				pfree(cell);
		}
	}
	if (rows == 0)
		return;
	stats->stats_valid = true;
	stats->stanullfrac = (float4) (rows - present) / rows;
	stats->stawidth = present > 0 ? (int32) (width / present) : 0;
	stats->stadistinct = 0.0;	/* unknown */
	if (by_bytes)
	{
		int			distinct = wide;
		int			once = wide;

		qsort(hashes, hashed, sizeof(uint64), order_hashes);
		for (int i = 0, run; i < hashed; i += run)
		{
			for (run = 1; i + run < hashed && hashes[i + run] == hashes[i]; run++)
				;
			distinct++;
			once += run == 1;
		}
		stats->stadistinct = estimate_distinct(present, distinct, once, total * present / rows);
		if (stats->stadistinct < 0)
			stats->stadistinct *= (float4) present / rows;
	}
	pfree(hashes);
}

static void
compute_randomized(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch, int rows, double total)
{
	compute(stats, fetch, rows, total, false);
}

static void
compute_deterministic(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch, int rows, double total)
{
	compute(stats, fetch, rows, total, true);
}

static Datum
analyze_with(VacAttrStats *stats, AnalyzeAttrComputeStatsFunc function)
{
	if (stats->attr->attstattarget < 0)
		stats->attr->attstattarget = default_statistics_target;
	stats->compute_stats = function;
	stats->minrows = ROWS_PER_TARGET * stats->attr->attstattarget;
	return BoolGetDatum(true);
}

PG_FUNCTION_INFO_V1(cloister_enc_typanalyze);
PG_FUNCTION_INFO_V1(cloister_det_typanalyze);

/* Of enc_T, and of arrays of both kinds. */
Datum
cloister_enc_typanalyze(PG_FUNCTION_ARGS)
{
	return analyze_with((VacAttrStats *) PG_GETARG_POINTER(0), compute_randomized);
}

Datum
cloister_det_typanalyze(PG_FUNCTION_ARGS)
{
	return analyze_with((VacAttrStats *) PG_GETARG_POINTER(0), compute_deterministic);
}
