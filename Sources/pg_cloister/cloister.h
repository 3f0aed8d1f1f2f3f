/*
 * cloister: encrypted column types for PostgreSQL. The server stores, moves and indexes cells; it never sees what is in
 * them. Equality of deterministic cells (det_T) is equality of bytes, decided here; everything about randomized cells
 * (enc_T) is decided by the enclave, over the slot of slot.c.
 *
 * This module must not know: keys, a cryptographic library, plaintext.
 */
#ifndef CLOISTER_H
#define CLOISTER_H

#include "postgres.h"

#include "fmgr.h"

#include "cloister_slot.h"

/*
 * Cell v1 (schemas/cell-v1.md): version, role and algorithm, type tag, collation, key id (big endian); then for GCM
 * writer id, counter, ciphertext, tag; for SIV synthetic IV, ciphertext.
 */
#define CELL_HEADER_BYTES 8
#define CELL_GCM_OVERHEAD 40
#define CELL_SIV_OVERHEAD 24

typedef enum CellRole { CELL_STORED = 0, CELL_OPERAND = 1, CELL_RESULT = 2 } CellRole;
typedef enum CellAlgorithm { CELL_GCM = 1, CELL_SIV = 2 } CellAlgorithm;

/* Logical type T and its tag in the cell, as in Sources/CellFormat/LogicalType.swift. */
#define CLOISTER_TYPES(X) \
	X(boolean, 1) X(int2, 2) X(int4, 3) X(int8, 4) X(float4, 5) X(float8, 6) X(numeric, 7) X(text, 8) X(varchar, 9) \
	X(bpchar, 10) X(bytea, 11) X(date, 12) X(time, 13) X(timetz, 14) X(timestamp, 15) X(timestamptz, 16) X(interval, 17) \
	X(uuid, 18) X(inet, 19) X(json, 20) X(jsonb, 21)

/* The SQLSTATEs of class YE; the messages carry the code of schemas/errors.md. */
#define ERRCODE_CLOISTER_UNREACHABLE MAKE_SQLSTATE('Y', 'E', '0', '0', '1')
#define ERRCODE_CLOISTER_DEADLINE MAKE_SQLSTATE('Y', 'E', '0', '0', '2')
#define ERRCODE_CLOISTER_NO_KEY MAKE_SQLSTATE('Y', 'E', '0', '0', '3')
#define ERRCODE_CLOISTER_CELL_REFUSED MAKE_SQLSTATE('Y', 'E', '0', '0', '4')
#define ERRCODE_CLOISTER_FORBIDDEN MAKE_SQLSTATE('Y', 'E', '0', '0', '5')
#define ERRCODE_CLOISTER_UNGRANTED MAKE_SQLSTATE('Y', 'E', '0', '0', '6')
#define ERRCODE_CLOISTER_LIMIT MAKE_SQLSTATE('Y', 'E', '0', '0', '7')

/* cell.c */
extern uint32 cell_key(const uint8 *cell);
extern uint32 cell_datum_key(Datum cell);
extern void cell_require_same_key(uint32 a, uint32 b);

/* slot.c: one call each; errors are raised, never returned */
extern int	enclave_compare(const uint8 *a, size_t a_bytes, const uint8 *b, size_t b_bytes);
extern bool enclave_match(uint32 kind, const uint8 *value, size_t value_bytes, const uint8 *pattern, size_t pattern_bytes);
extern bytea *enclave_aggregate(uint32 function, const bytea *const *cells, size_t count);
extern uint64 enclave_hash(const uint8 *cell, size_t bytes);
extern void enclave_ping(void);
extern bytea *enclave_tunnel(const uint8 *frame, size_t bytes);

/* What this backend's channel has done; cloister.enclave_status() shows it. */
typedef struct ChannelStatistics
{
	int64		calls;			/* answered by the enclave */
	int64		spins;			/* ... of them while we were spinning */
	int64		waits;			/* calls for which we went to sleep */
	int64		key_waits;		/* answers "no key" that were asked again */
	int64		connects;		/* slots received */
} ChannelStatistics;

extern ChannelStatistics channel_statistics;
extern bool channel_connected(uint32 *slot, uint8 boot[16]);
extern void channel_abandon(void);
extern void channel_moved(void);

/* module.c: settings */
extern char *cloister_socket;
extern int	cloister_deadline;	/* milliseconds */
extern int	cloister_spin;		/* microseconds; 0 never spins */

#endif
