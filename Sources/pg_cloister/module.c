/*
 * What the extension has besides its types: settings, functions for the key release and for watching the channel, and the
 * event trigger that tells the proxies of DDL.
 */
#include "cloister.h"

#include "access/xact.h"
#include "commands/async.h"
#include "commands/event_trigger.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

char	   *cloister_socket;
int			cloister_deadline;
int			cloister_spin;

static bool ddl_happened = false;

extern PGDLLEXPORT void _PG_init(void);

/* ---- loading ---- */

static void
socket_assigned(const char *value, void *extra)
{
	channel_moved();
}

/*
 * The notification goes out before commit and not from the trigger, because a transaction that has notified cannot be
 * prepared for two-phase commit; and not when the queue is nearly full. Then nothing is announced, and the DDL succeeds.
 */
static void
transaction_ends(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT && ddl_happened &&
		DatumGetFloat8(OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE)) < 0.9)
		Async_Notify("cloister_ddl", "");
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		channel_abandon();
	if (event != XACT_EVENT_PRE_PREPARE)
		ddl_happened = false;
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		channel_abandon();
}

void
_PG_init(void)
{
	/* Only superusers choose the evaluator and how long it may take: both bear on indexes that everybody shares. */
	DefineCustomStringVariable("cloister.socket", "Path of the enclave's Unix socket.", NULL,
							   &cloister_socket, "/run/cloister/enclave.sock", PGC_SUSET, 0,
							   NULL, socket_assigned, NULL);
	DefineCustomIntVariable("cloister.deadline", "Longest time that one question to the enclave may take.", NULL,
							&cloister_deadline, 5000, 10, 60000, PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("cloister.spin", "Microseconds to spin for an answer before sleeping; 0 never spins.",
							"Where spinning does not pay (one processor, a busy machine) it is done seldom, by itself.",
							&cloister_spin, 20, 0, 1000, PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("cloister");
	RegisterXactCallback(transaction_ends, NULL);
	RegisterSubXactCallback(subtransaction_ends, NULL);
}

/* ---- functions of schema cloister ---- */

PG_FUNCTION_INFO_V1(cloister_enclave_tunnel);
PG_FUNCTION_INFO_V1(cloister_enclave_ping);
PG_FUNCTION_INFO_V1(cloister_enclave_status);
PG_FUNCTION_INFO_V1(cloister_ddl);

/* Carries a frame of the key release (schemas/release-v1.md) to the enclave and its answer back. */
Datum
cloister_enclave_tunnel(PG_FUNCTION_ARGS)
{
	bytea	   *frame = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_BYTEA_P(enclave_tunnel((const uint8 *) VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame)));
}

Datum
cloister_enclave_ping(PG_FUNCTION_ARGS)
{
	enclave_ping();
	PG_RETURN_VOID();
}

/* This backend's channel: state and counts. Asks the enclave nothing. */
Datum
cloister_enclave_status(PG_FUNCTION_ARGS)
{
	TupleDesc	descriptor;
	Datum		values[8];
	bool		nulls[8] = {false};
	uint32		slot;
	uint8		boot[16];
	bool		connected = channel_connected(&slot, boot);

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE || descriptor->natts != lengthof(values))
		elog(ERROR, "cloister.enclave_status() is not declared as it should be");
	values[0] = BoolGetDatum(connected);
	nulls[1] = nulls[2] = !connected;
	if (connected)
	{
		bytea	   *id = (bytea *) palloc(VARHDRSZ + sizeof(boot));

		SET_VARSIZE(id, VARHDRSZ + sizeof(boot));
		memcpy(VARDATA(id), boot, sizeof(boot));
		values[1] = PointerGetDatum(id);
		values[2] = Int32GetDatum(slot);
	}
	values[3] = Int64GetDatum(channel_statistics.calls);
	values[4] = Int64GetDatum(channel_statistics.spins);
	values[5] = Int64GetDatum(channel_statistics.waits);
	values[6] = Int64GetDatum(channel_statistics.key_waits);
	values[7] = Int64GetDatum(channel_statistics.connects);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/* Event trigger at ddl_command_end. Must never fail: DDL of people who never heard of us goes through it. */
Datum
cloister_ddl(PG_FUNCTION_ARGS)
{
	Node	   *tree;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("cloister.notify_ddl() is an event trigger function")));
	tree = ((EventTriggerData *) fcinfo->context)->parsetree;

	/* Temporary tables concern no other session, indexes no proxy: they need not be announced at all. */
	if (tree != NULL &&
		((IsA(tree, CreateStmt) && ((CreateStmt *) tree)->relation->relpersistence == RELPERSISTENCE_TEMP) ||
		 IsA(tree, IndexStmt) || IsA(tree, ReindexStmt)))
		PG_RETURN_VOID();
	ddl_happened = true;
	PG_RETURN_VOID();
}
