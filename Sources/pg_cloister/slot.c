/*
 * The backend's side of the enclave channel (cloister_slot.h is normative): connect, receive a slot, post a request, wait.
 *
 * Rules that everything here keeps:
 * - No wait is without bound: every one ends by an answer, by the enclave's end-of-file, or at the call's deadline. So a
 *   buffer lock held by nbtree around a comparison is held no longer than that.
 * - Interrupts are served in every slice of a wait. PostgreSQL itself holds them off while an lwlock is held.
 * - A call that ends by an error before its answer closes the socket: a slot is never used again after an abandoned call.
 * - What comes out of the shared memory is not trusted: it is read once and checked.
 */
#include "cloister.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "access/parallel.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/pg_bswap.h"
#include "postmaster/autovacuum.h"
#include "storage/fd.h"
#include "storage/proc.h"
#include "storage/s_lock.h"
#include "utils/backend_status.h"
#include "utils/wait_event.h"

#define MICROSECOND INT64CONST(1000)
#define MILLISECOND INT64CONST(1000000)
#define LONGEST_SLICE (10 * MILLISECOND)
#define KEY_RETRY (50 * MILLISECOND)

/* This backend's slot; `slot` is NULL unless there is one. One per process: parallel workers get their own. */
typedef struct Channel
{
	int			sock;
	bool		counted;		/* we hold one of PostgreSQL's external descriptors */
	bool		busy;			/* a request is posted and its answer not yet taken */
	bool		moved;			/* cloister.socket was changed since */
	bool		maintains;		/* we are a parallel worker of maintenance */
	pid_t		owner;
	cloister_slot *slot;
	cloister_doorbell *doorbell;
	uint32		index;
	uint8		boot[16];
} Channel;

static Channel channel = {.sock = -1};
ChannelStatistics channel_statistics;

/* One call: where its operands are, and its answer, copied out of the slot. */
typedef struct Part
{
	const void *bytes;
	size_t		count;
} Part;

typedef struct Call
{
	uint32		opcode;
	Part		parts[3];
	bool		repeatable;		/* may be asked again of a restarted enclave, or after "no key" */
	int64		deadline;
	uint32		status;
	int32		value;
	uint64		hash;
	uint32		answer_length;
} Call;

/* ---- waiting ---- */

static int64
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64) time.tv_sec * 1000 * MILLISECOND + time.tv_nsec;
}

/* Returns when woken, when the word differs, on a signal or after `slice` nanoseconds; the caller looks at the word. */
static void
futex_wait(uint32 *word, uint32 expected, int64 slice)
{
	struct timespec timeout = {.tv_sec = 0, .tv_nsec = slice};

	syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0);
}

static void
channel_close(void)
{
	if (channel.slot != NULL)
		munmap(channel.slot, CLOISTER_SLOT_BYTES);
	if (channel.doorbell != NULL)
		munmap(channel.doorbell, sizeof(cloister_doorbell));
	if (channel.sock >= 0)
		close(channel.sock);
	if (channel.counted)
		ReleaseExternalFD();
	channel = (Channel) {.sock = -1};
}

/* Every slice of every wait ends here: serves interrupts if PostgreSQL allows it now, and enforces the deadline. */
static void
between_slices(int64 deadline)
{
	CHECK_FOR_INTERRUPTS();		/* what it raises ends the (sub)transaction, and that closes the channel */
	if (InterruptHoldoffCount > 0 && CritSectionCount == 0 && (QueryCancelPending || ProcDiePending))
	{
		/* An lwlock is held (a B-tree's page), so PostgreSQL serves no interrupt here; an error releases the lock and it can. */
		channel_close();
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("CL7022: canceling statement while it waits for the enclave")));
	}
	if (now() >= deadline)
	{
		bool		had_slot = channel.slot != NULL;

		channel_close();
		ereport(ERROR,
				(errcode(ERRCODE_CLOISTER_DEADLINE),
				 had_slot ? errmsg("CL7012: the enclave did not answer within %d ms", cloister_deadline)
				 : errmsg("CL7013: the enclave gave this backend no slot within %d ms", cloister_deadline),
				 had_slot ? 0 : errhint("All slots may be in use; each backend that meets encrypted values needs one.")));
	}
}

/* Closes the channel and says why; `detail` is a fixed phrase. */
static void pg_attribute_noreturn()
channel_fail(const char *detail)
{
	channel_close();
	ereport(ERROR,
			(errcode(ERRCODE_CLOISTER_UNREACHABLE),
			 errmsg("CL7014: the enclave does not keep to the channel's protocol"),
			 errdetail_internal("%s.", detail)));
}

/* ---- connecting ---- */

static void pg_attribute_noreturn()
unreachable(const char *what)
{
	int			saved = errno;

	channel_close();
	errno = saved;
	ereport(ERROR,
			(errcode(ERRCODE_CLOISTER_UNREACHABLE),
			 errmsg("CL7010: the enclave cannot be reached: %s: %m", what),
			 errhint("Is cloister-tee running on this host, and cloister.socket its enclave's socket?")));
}

/* Waits until the socket can be read, in slices. */
static void
await_readable(int64 deadline)
{
	struct pollfd entry = {.fd = channel.sock, .events = POLLIN};

	while (poll(&entry, 1, (int) (LONGEST_SLICE / MILLISECOND)) <= 0)
		between_slices(deadline);
}

/*
 * Takes the welcome and maps the two descriptors that come with it. They must be memfds sealed against shrinking, else the
 * other side could make us fault by truncating them.
 */
static void
receive_slot(int64 deadline)
{
	cloister_welcome welcome;
	union
	{
		char		bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	}			control;
	struct iovec data = {.iov_base = &welcome, .iov_len = sizeof(welcome)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
	.msg_controllen = sizeof(control.bytes)};
	int			fds[2] = {-1, -1};
	const char *fault = NULL;
	ssize_t		count;

	do
	{
		await_readable(deadline);
		count = recvmsg(channel.sock, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (count < 0 && (errno == EINTR || errno == EAGAIN));
	if (count == 0)
		errno = ECONNRESET;
	if (count <= 0)
		unreachable("receiving a slot");

	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len >= CMSG_LEN(sizeof(int)))
			memcpy(fds, CMSG_DATA(header), Min(header->cmsg_len - CMSG_LEN(0), sizeof(fds)));

	if (count != sizeof(welcome) || (message.msg_flags & MSG_CTRUNC) != 0 || fds[0] < 0 || fds[1] < 0)
		fault = "the welcome is not complete";
	else if (welcome.magic != CLOISTER_SLOT_MAGIC || welcome.version != CLOISTER_SLOT_VERSION)
		fault = "the welcome is of another protocol or version";
	else if (welcome.slot >= CLOISTER_MAX_SLOTS || welcome.slot_bytes != CLOISTER_SLOT_BYTES)
		fault = "the welcome's slot is out of range";
	for (int i = 0; i < 2 && fault == NULL; i++)
	{
		struct stat status;
		size_t		size = i == 0 ? CLOISTER_SLOT_BYTES : sizeof(cloister_doorbell);
		int			seals = fcntl(fds[i], F_GET_SEALS);
		void	   *map = MAP_FAILED;

		if (seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(fds[i], &status) == 0 && status.st_size >= (off_t) size)
			map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		if (map == MAP_FAILED)
		{
			fault = "a descriptor is not a sealed memfd of the right size";
			break;
		}
		if (i == 0)
			channel.slot = map;
		else
			channel.doorbell = map;
	}
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (fault == NULL && (channel.slot->magic != CLOISTER_SLOT_MAGIC || channel.slot->index != welcome.slot))
		fault = "the slot is not the one that was announced";
	if (fault != NULL)
		channel_fail(fault);
	channel.index = welcome.slot;
	memcpy(channel.boot, welcome.boot, sizeof(channel.boot));
}

static void
channel_open(int64 deadline)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(cloister_socket) == 0 || strlen(cloister_socket) >= sizeof(address.sun_path))
		ereport(ERROR,
				(errcode(ERRCODE_CLOISTER_UNREACHABLE),
				 errmsg("CL7010: the enclave cannot be reached: cloister.socket is empty or too long for a socket's path")));
	strcpy(address.sun_path, cloister_socket);

	channel.owner = MyProcPid;
	if (!AcquireExternalFD())
		unreachable("reserving a file descriptor");
	channel.counted = true;
	channel.sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (channel.sock < 0)
		unreachable("making a socket");
	pgstat_report_wait_start(PG_WAIT_EXTENSION);
	while (connect(channel.sock, (struct sockaddr *) &address, sizeof(address)) != 0 && errno != EISCONN)
	{
		if (errno != EAGAIN && errno != EINTR)
			unreachable("connecting");
		poll(NULL, 0, 1);		/* the listener's backlog is full */
		between_slices(deadline);
	}
	receive_slot(deadline);
	pgstat_report_wait_end();
	channel_statistics.connects++;
}

/* Whether the enclave has closed its end. Anything it sends breaks the protocol, and is taken as the same. */
static bool
channel_is_dead(void)
{
	char		byte;

	return recv(channel.sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EINTR);
}

bool
channel_connected(uint32 *slot, uint8 boot[16])
{
	if (channel.slot == NULL || channel.owner != MyProcPid || channel_is_dead())
		return false;
	*slot = channel.index;
	memcpy(boot, channel.boot, sizeof(channel.boot));
	return true;
}

/* At the abort of a (sub)transaction: closes a channel whose call, or whose opening, an error cut short. */
void
channel_abandon(void)
{
	if (channel.busy || channel.slot == NULL)
		channel_close();
}

/* cloister.socket has changed: the next call connects anew. */
void
channel_moved(void)
{
	channel.moved = true;
}

/* ---- one call ---- */

static uint32
load(uint32 *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/*
 * Spins a bounded time for the answer. An idle processor is needed on the other side for this to be of use, so the past
 * decides: when fewer than about one in four spins succeeded lately, only one call in 32 tries again, for longer, since a
 * worker that we let fall asleep needs that to wake; then it is awake for the next calls.
 */
static bool
spin(cloister_slot *slot)
{
	static int	processors = 0;
	static double success = 0.5;
	static uint32 skipped = 0;
	int64		until;

	if (processors == 0)
	{
		cpu_set_t	allowed;

		processors = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
	}
	if (processors < 2 || cloister_spin == 0 || (success < 0.25 && ++skipped % 32 != 0))
		return load(&slot->state) == CLOISTER_DONE;
	until = now() + cloister_spin * MICROSECOND * (success < 0.25 ? 5 : 1);
	do
	{
		for (int i = 0; i < 8; i++)
		{
			if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == CLOISTER_DONE)
			{
				success += (1.0 - success) / 16;
				channel_statistics.spins++;
				return true;
			}
			SPIN_DELAY();
		}
	} while (now() < until);
	success -= success / 16;
	return false;
}

/*
 * Whether the call is for VACUUM, ANALYZE, CLUSTER or an index build. A parallel worker builds what its leader builds. Needs
 * track_activities, without which PostgreSQL tells no progress.
 */
static bool
is_maintenance(void)
{
	return channel.maintains || IsAutoVacuumWorkerProcess() ||
		(MyBEEntry != NULL && MyBEEntry->st_progress_command != PROGRESS_COMMAND_INVALID &&
		 MyBEEntry->st_progress_command != PROGRESS_COMMAND_COPY &&
		 MyBEEntry->st_progress_command != PROGRESS_COMMAND_BASEBACKUP);
}

static void
post(const Call *call)
{
	cloister_slot *slot = channel.slot;
	cloister_doorbell *doorbell = channel.doorbell;
	char	   *data = (char *) slot + CLOISTER_SLOT_DATA;
	uint32		length = 0;

	channel.busy = true;
	for (int i = 0; i < lengthof(call->parts); i++)
		if (call->parts[i].count > 0)
		{
			memcpy(data + length, call->parts[i].bytes, call->parts[i].count);
			length += call->parts[i].count;
		}
	slot->opcode = call->opcode;
	slot->length = length;
	slot->purpose = is_maintenance() ? CLOISTER_MAINTENANCE : CLOISTER_QUERY;
	slot->waiting = 0;
	__atomic_store_n(&slot->state, CLOISTER_POSTED, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&doorbell->pending[channel.index / 64], UINT64CONST(1) << channel.index % 64, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&doorbell->bell, 1, __ATOMIC_SEQ_CST);
	if (load(&doorbell->sleepers) > 0)
		syscall(SYS_futex, &doorbell->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Waits for the answer; false if the enclave is gone. The first slice is short: a dead enclave is noticed at its end. */
static bool
await_answer(int64 deadline)
{
	cloister_slot *slot = channel.slot;
	int64		slice = MILLISECOND;

	if (spin(slot))
		return true;
	channel_statistics.waits++;
	pgstat_report_wait_start(PG_WAIT_EXTENSION);
	for (;;)
	{
		uint32		state;

		__atomic_store_n(&slot->waiting, 1, __ATOMIC_SEQ_CST);
		state = load(&slot->state);
		if (state == CLOISTER_DONE)
			break;
		if (state != CLOISTER_POSTED && state != CLOISTER_SERVING)
			channel_fail("the slot's state is not one of a call");
		futex_wait(&slot->state, state, slice);
		if (load(&slot->state) == CLOISTER_DONE)
			break;
		between_slices(deadline);
		if (channel_is_dead())
		{
			pgstat_report_wait_end();
			return false;
		}
		slice = Min(2 * slice, LONGEST_SLICE);
	}
	pgstat_report_wait_end();
	return true;
}

/*
 * A parallel worker's connection takes part in its leader's session, if a proxy vouched for that. If not the enclave says no,
 * and what that means for the query is decided by its own calls.
 */
static void
join_leader(int64 deadline)
{
	PGPROC	   *leader = MyProc->lockGroupLeader;
	uint32		process;
	uint8		frame[5] = {12};
	Call		call = {.opcode = CLOISTER_OP_TUNNEL, .parts = {{frame, sizeof(frame)}}};
	PgBackendStatus *status;

	if (leader == NULL)
		return;
	status = pgstat_fetch_stat_beentry(leader->backendId);
	channel.maintains = status != NULL && status->st_progress_command != PROGRESS_COMMAND_INVALID &&
		status->st_progress_command != PROGRESS_COMMAND_COPY && status->st_progress_command != PROGRESS_COMMAND_BASEBACKUP;
	process = pg_hton32((uint32) leader->pid);
	memcpy(frame + 1, &process, sizeof(process));
	post(&call);
	if (!await_answer(deadline))
	{
		channel_close();
		unreachable("joining the leader's session");
	}
	__atomic_store_n(&channel.slot->state, CLOISTER_IDLE, __ATOMIC_RELEASE);
	channel.busy = false;
}

/*
 * Makes a call and takes its status, connecting if need be. If the enclave turns out to have gone since the last call (it
 * was restarted), a call that may be repeated is, once, on a new connection; any other checks before it posts.
 */
static void
channel_call_once(Call *call)
{
	bool		repeatable = call->repeatable;

	if (channel.busy || channel.moved || channel.owner != MyProcPid || channel.slot == NULL ||
		(!repeatable && channel_is_dead()))
		channel_close();
	for (;;)
	{
		bool		fresh = channel.slot == NULL;

		if (fresh)
		{
			channel_open(call->deadline);
			if (IsParallelWorker())
				join_leader(call->deadline);
		}
		post(call);
		if (await_answer(call->deadline))
			break;
		channel_close();
		if (fresh || !repeatable)
			ereport(ERROR,
					(errcode(ERRCODE_CLOISTER_UNREACHABLE),
					 errmsg("CL7011: the enclave went away in the middle of a call"),
					 errhint("The transaction can be tried again once the enclave runs.")));
	}
	call->status = channel.slot->status;
	call->value = channel.slot->value;
	call->hash = channel.slot->hash;
	call->answer_length = channel.slot->answer_length;
	__atomic_store_n(&channel.slot->state, CLOISTER_IDLE, __ATOMIC_RELEASE);
	channel.busy = false;
	channel_statistics.calls++;
}

/* Raises the error that belongs to a status other than OK. */
static void pg_attribute_noreturn()
refused(uint32 opcode, uint32 status)
{
	static const struct
	{
		int			sqlstate;
		const char *message;
	}			errors[] = {
		[CLOISTER_BAD_CELL] = {ERRCODE_CLOISTER_CELL_REFUSED,
			"CL7016: the enclave refused a cell: it is malformed or was tampered with"},
		[CLOISTER_MISMATCH] = {ERRCODE_CLOISTER_CELL_REFUSED,
			"CL7017: the enclave refused two cells that may not meet: they differ in key, type or purpose"},
		[CLOISTER_NO_KEY] = {ERRCODE_CLOISTER_NO_KEY,
			"CL7015: the enclave does not hold the column key; a running Cloister proxy releases it"},
		[CLOISTER_FORBIDDEN] = {ERRCODE_CLOISTER_FORBIDDEN,
			"CL7018: the column key's policy does not allow this operation"},
		[CLOISTER_TOO_LARGE] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, "CL7019: the value is too large for the enclave"},
		[CLOISTER_NO_MEMORY] = {ERRCODE_OUT_OF_MEMORY, "CL7020: the enclave is out of memory"},
		[CLOISTER_DISABLED] = {ERRCODE_CLOISTER_UNREACHABLE, "CL7021: the enclave has shut itself off"},
		/* PostgreSQL's own SQLSTATEs and words */
		[CLOISTER_BAD_PATTERN] = {ERRCODE_INVALID_ESCAPE_SEQUENCE, "CL7023: LIKE pattern must not end with escape character"},
		[CLOISTER_NONDETERMINISTIC] = {ERRCODE_FEATURE_NOT_SUPPORTED,
			"CL7024: nondeterministic collations are not supported for pattern matching"},
		[CLOISTER_SMALL_GROUP] = {ERRCODE_CLOISTER_FORBIDDEN,
			"CL7025: the group has fewer values than the column key's policy asks for"},
		[CLOISTER_REPEATED_CELL] = {ERRCODE_CLOISTER_CELL_REFUSED,
			"CL7026: one row's value is in the group more than once"},
		[CLOISTER_UNGRANTED] = {ERRCODE_CLOISTER_UNGRANTED,
			"CL7029: the enclave serves this column key only to sessions that a Cloister proxy vouched for"},
		[CLOISTER_LIMIT] = {ERRCODE_CLOISTER_LIMIT,
			"CL7030: this session has asked the enclave as much as the column key's limit allows"},
		[CLOISTER_OUT_OF_RANGE] = {ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "CL7027: value out of range: overflow"},
	};

	if (status >= lengthof(errors) || errors[status].message == NULL)
		channel_fail("the answer's status is unknown or rejects the request");
	ereport(ERROR,
			(errcode(errors[status].sqlstate),
			 errmsg_internal("%s", errors[status].message),
			 status == CLOISTER_FORBIDDEN && opcode != CLOISTER_OP_COMPARE && opcode != CLOISTER_OP_HASH ?
			 errhint("\"cloister keys create-column NAME --amend\" signs a key's policy again; its options and the columns "
					 "of the proxy's configuration say what it allows.") : 0));
}

/*
 * A whole call. "No key" is asked again for a while, since a proxy releases keys by itself after a restart; but not while
 * an lwlock is held, for others may wait for that.
 */
static void
channel_call(Call *call)
{
	size_t		bytes = call->parts[0].count + call->parts[1].count + call->parts[2].count;

	if (bytes > CLOISTER_SLOT_DATA_BYTES)
		refused(call->opcode, CLOISTER_TOO_LARGE);
	call->deadline = now() + cloister_deadline * MILLISECOND;
	for (;;)
	{
		int64		again;

		channel_call_once(call);
		if (call->status == CLOISTER_OK)
			return;
		again = now() + KEY_RETRY;
		if (call->status != CLOISTER_NO_KEY || !call->repeatable || InterruptHoldoffCount > 0 || again >= call->deadline)
			refused(call->opcode, call->status);
		channel_statistics.key_waits++;
		while (now() < again)
		{
			poll(NULL, 0, (int) (LONGEST_SLICE / MILLISECOND));
			between_slices(call->deadline);
		}
	}
}

/* ---- the operations ---- */

int
enclave_compare(const uint8 *a, size_t a_bytes, const uint8 *b, size_t b_bytes)
{
	cloister_pair pair = {.a_bytes = (uint32) a_bytes, .b_bytes = (uint32) b_bytes};
	Call		call = {.opcode = CLOISTER_OP_COMPARE, .repeatable = true, .parts = {{&pair, sizeof(pair)}, {a, a_bytes}, {b, b_bytes}}};

	channel_call(&call);
	if (call.value < -1 || call.value > 1)
		channel_fail("the answer to a comparison is none of -1, 0, 1");
	return call.value;
}

/* `kind` is one of enum cloister_pattern. */
bool
enclave_match(uint32 kind, const uint8 *value, size_t value_bytes, const uint8 *pattern, size_t pattern_bytes)
{
	cloister_match match = {.kind = kind, .value_bytes = (uint32) value_bytes, .pattern_bytes = (uint32) pattern_bytes};
	Call		call = {.opcode = CLOISTER_OP_MATCH, .repeatable = true,
	.parts = {{&match, sizeof(match)}, {value, value_bytes}, {pattern, pattern_bytes}}};

	channel_call(&call);
	if (call.value != 0 && call.value != 1)
		channel_fail("the answer to a match is neither 0 nor 1");
	return call.value == 1;
}

uint64
enclave_hash(const uint8 *cell, size_t bytes)
{
	Call		call = {.opcode = CLOISTER_OP_HASH, .repeatable = true, .parts = {{cell, bytes}}};

	channel_call(&call);
	return call.hash;
}

void
enclave_ping(void)
{
	Call		call = {.opcode = CLOISTER_OP_PING, .repeatable = true};

	channel_call(&call);
}

/* What the enclave has written at CLOISTER_SLOT_DATA. */
static bytea *
copy_answer(const Call *call)
{
	bytea	   *answer;

	if (call->answer_length > CLOISTER_SLOT_DATA_BYTES)
		channel_fail("the answer is longer than the slot");
	answer = (bytea *) palloc(VARHDRSZ + call->answer_length);
	SET_VARSIZE(answer, VARHDRSZ + call->answer_length);
	memcpy(VARDATA(answer), (char *) channel.slot + CLOISTER_SLOT_DATA, call->answer_length);
	return answer;
}

bytea *
enclave_tunnel(const uint8 *frame, size_t bytes)
{
	Call		call = {.opcode = CLOISTER_OP_TUNNEL, .parts = {{frame, bytes}}};

	channel_call(&call);
	return copy_answer(&call);
}

/*
 * The result cell of an aggregate over one group, in as many requests as it takes. A group is not asked for again when the
 * enclave went away in the middle of it: its state went too.
 */
bytea *
enclave_aggregate(uint32 function, const bytea *const *cells, size_t count)
{
	uint8	   *frame = (uint8 *) palloc(CLOISTER_SLOT_DATA_BYTES);
	cloister_aggregate head = {.function = function, .flags = CLOISTER_AGGREGATE_FIRST};
	size_t		next = 0;
	Call		call;

	do
	{
		size_t		bytes = sizeof(head);

		head.count = 0;
		while (next < count)
		{
			uint32		length = (uint32) VARSIZE_ANY_EXHDR(cells[next]);

			if (length + sizeof(length) > CLOISTER_SLOT_DATA_BYTES - bytes)
				break;
			memcpy(frame + bytes, &length, sizeof(length));
			memcpy(frame + bytes + sizeof(length), VARDATA_ANY(cells[next]), length);
			bytes += sizeof(length) + length;
			head.count++;
			next++;
		}
		if (head.count == 0)
			refused(CLOISTER_OP_AGGREGATE, CLOISTER_TOO_LARGE);
		if (next == count)
			head.flags |= CLOISTER_AGGREGATE_LAST;
		memcpy(frame, &head, sizeof(head));
		call = (Call) {.opcode = CLOISTER_OP_AGGREGATE, .parts = {{frame, bytes}},
			.repeatable = (head.flags & CLOISTER_AGGREGATE_FIRST) != 0};
		channel_call(&call);
		head.flags = 0;
	} while (next < count);
	pfree(frame);
	if (call.answer_length < CELL_GCM_OVERHEAD)
		channel_fail("the answer to an aggregate is no cell");
	return copy_answer(&call);
}
