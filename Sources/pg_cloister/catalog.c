/*
 * What the types of cells stand for: for the catalog views that clients see.
 */
#include "cloister.h"

#include "access/htup_details.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(cloister_logical_type);

/*
 * cloister.logical_type(oid) returns pg_type: the row of the logical type of a type of cells; NULL for every other type.
 * By name, as the types are: pg_catalog.enc_T and pg_catalog.det_T stand for pg_catalog.T.
 */
Datum
cloister_logical_type(PG_FUNCTION_ARGS)
{
	HeapTuple	cell = SearchSysCache1(TYPEOID, ObjectIdGetDatum(PG_GETARG_OID(0)));
	HeapTuple	logical = NULL;
	TupleDesc	description;
	Datum		row;

	if (HeapTupleIsValid(cell))
	{
		Form_pg_type form = (Form_pg_type) GETSTRUCT(cell);
		const char *name = NameStr(form->typname);

		if (form->typnamespace == PG_CATALOG_NAMESPACE && form->typtype == TYPTYPE_BASE
			&& (strncmp(name, "enc_", 4) == 0 || strncmp(name, "det_", 4) == 0))
			logical = SearchSysCache2(TYPENAMENSP, CStringGetDatum(strcmp(name + 4, "boolean") == 0 ? "bool" : name + 4),
									  ObjectIdGetDatum(PG_CATALOG_NAMESPACE));
		ReleaseSysCache(cell);
	}
	if (!HeapTupleIsValid(logical))
		PG_RETURN_NULL();
	description = lookup_rowtype_tupdesc(TypeRelation_Rowtype_Id, -1);
	row = heap_copy_tuple_as_datum(logical, description);
	ReleaseTupleDesc(description);
	ReleaseSysCache(logical);
	PG_RETURN_DATUM(row);
}
