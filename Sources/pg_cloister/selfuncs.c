/*
 * Selectivity of the operators, and a guard at planning. Estimates come from the null fraction, the number of distinct
 * values and constants of PostgreSQL's; no cell is looked at and the enclave is never asked.
 */
#include "cloister.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "utils/selfuncs.h"

/* ---- restrictions: column operator value ---- */

typedef enum Relation { EQUAL, NOT_EQUAL, ORDERED, MATCHING, NOT_MATCHING } Relation;

/* The fraction of present values that is in the relation, where the number of distinct values has no say. */
static double
fixed_fraction(Relation relation)
{
	return relation == ORDERED ? DEFAULT_INEQ_SEL : relation == MATCHING ? DEFAULT_MATCH_SEL : 1.0 - DEFAULT_MATCH_SEL;
}

static double
null_fraction(VariableStatData *variable)
{
	if (!HeapTupleIsValid(variable->statsTuple))
		return 0.0;
	return ((Form_pg_statistic) GETSTRUCT(variable->statsTuple))->stanullfrac;
}

static double
restriction(FunctionCallInfo fcinfo, Relation relation)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	VariableStatData variable;
	Node	   *other;
	bool		on_left;
	bool		is_default;
	double		present;
	double		result;

	if (!get_restriction_variable(root, args, PG_GETARG_INT32(3), &variable, &other, &on_left))
		return relation == EQUAL ? DEFAULT_EQ_SEL : relation == NOT_EQUAL ? 1.0 - DEFAULT_EQ_SEL : fixed_fraction(relation);
	present = 1.0 - null_fraction(&variable);
	result = present / Max(get_variable_numdistinct(&variable, &is_default), 1.0);
	ReleaseVariableStats(variable);
	if (IsA(other, Const) && ((Const *) other)->constisnull)
		return 0.0;				/* the operators are strict */
	if (relation == NOT_EQUAL)
		result = present - result;
	if (relation != EQUAL && relation != NOT_EQUAL)
		result = present * fixed_fraction(relation);
	CLAMP_PROBABILITY(result);
	return result;
}

/* ---- joins ---- */

static double
join(FunctionCallInfo fcinfo, Relation relation)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	SpecialJoinInfo *info = (SpecialJoinInfo *) PG_GETARG_POINTER(4);
	VariableStatData outer;
	VariableStatData inner;
	bool		reversed,
				outer_default,
				inner_default;
	double		outer_count,
				inner_count,
				outer_present,
				inner_present,
				result;

	get_join_variables(root, args, info, &outer, &inner, &reversed);
	if (reversed)
	{
		VariableStatData swapped = outer;

		outer = inner;
		inner = swapped;
	}
	outer_count = Max(get_variable_numdistinct(&outer, &outer_default), 1.0);
	inner_count = Max(get_variable_numdistinct(&inner, &inner_default), 1.0);
	outer_present = 1.0 - null_fraction(&outer);
	inner_present = 1.0 - null_fraction(&inner);
	if (inner.rel != NULL)
		inner_count = Max(Min(inner_count, inner.rel->rows), 1.0);
	ReleaseVariableStats(outer);
	ReleaseVariableStats(inner);

	if (info->jointype == JOIN_SEMI || info->jointype == JOIN_ANTI)
	{
		/* the fraction of outer rows that have a partner */
		if (relation != EQUAL)
			result = relation == NOT_EQUAL ? outer_present : outer_present * fixed_fraction(relation);
		else if (outer_default || inner_default)
			result = outer_present * 0.5;
		else
			result = outer_present * Min(inner_count / outer_count, 1.0);
	}
	else
	{
		result = outer_present * inner_present / Max(outer_count, inner_count);
		if (relation == NOT_EQUAL)
			result = outer_present * inner_present - result;
		if (relation != EQUAL && relation != NOT_EQUAL)
			result = outer_present * inner_present * fixed_fraction(relation);
	}
	CLAMP_PROBABILITY(result);
	return result;
}

#define SELECTIVITY(name, kind, relation) \
	PG_FUNCTION_INFO_V1(cloister_##name); \
	Datum cloister_##name(PG_FUNCTION_ARGS) { PG_RETURN_FLOAT8(kind(fcinfo, relation)); }

SELECTIVITY(eqsel, restriction, EQUAL)
SELECTIVITY(neqsel, restriction, NOT_EQUAL)
SELECTIVITY(rangesel, restriction, ORDERED)
SELECTIVITY(eqjoinsel, join, EQUAL)
SELECTIVITY(neqjoinsel, join, NOT_EQUAL)
SELECTIVITY(rangejoinsel, join, ORDERED)
SELECTIVITY(matchsel, restriction, MATCHING)
SELECTIVITY(nmatchsel, restriction, NOT_MATCHING)
SELECTIVITY(matchjoinsel, join, MATCHING)
SELECTIVITY(nmatchjoinsel, join, NOT_MATCHING)

/* ---- the planner's guard against operands under different keys ---- */

/* The column key of an expression, where it can be known before running it; else 0. */
static uint32
expression_key(Node *expression)
{
	int32		typmod;

	if (IsA(expression, Const))
		return ((Const *) expression)->constisnull ? 0 : cell_datum_key(((Const *) expression)->constvalue);
	typmod = exprTypmod(expression);
	return typmod > 0 ? (uint32) typmod : 0;
}

PG_FUNCTION_INFO_V1(cloister_support);

/*
 * Support function of all operators. It simplifies nothing: planning is where a comparison across two keys can be refused
 * before a hash join makes it an empty result.
 */
Datum
cloister_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSimplify))
	{
		FuncExpr   *call = ((SupportRequestSimplify *) request)->fcall;

		if (list_length(call->args) == 2)
		{
			uint32		a = expression_key(linitial(call->args));
			uint32		b = expression_key(lsecond(call->args));

			if (a != 0 && b != 0)
				cell_require_same_key(a, b);
		}
	}
	PG_RETURN_POINTER(NULL);
}
