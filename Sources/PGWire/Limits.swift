/// PostgreSQL's frontend/backend protocol version 3 as values over `ByteBuffer`: framing with limits, startup packets,
/// the messages that matter. Knows nothing of sockets, of encryption, or of what SQL means.
/// Source: PostgreSQL 15 documentation, chapter 55 "Frontend/Backend Protocol".

/// Every bound of a session, each with its reason. A length that a peer states is checked against one of these before
/// anything is allocated, waited for or skipped.
package struct Limits: Sendable, Hashable {
    /// PostgreSQL's own cap for a startup packet (`MAX_STARTUP_PACKET_LENGTH`, pqcomm.h).
    package var startupPacket = 10_000
    /// A password or SASL message: PostgreSQL's `PG_MAX_AUTH_TOKEN_LENGTH` (libpq/auth.h).
    package var authenticationMessage = 65_535
    /// What the server may send per message before authentication is over; errors and parameters are far smaller.
    package var startupResponse = 65_535
    /// The longest frame either side may announce: PostgreSQL's `PQ_LARGE_MESSAGE_LIMIT` (`MaxAllocSize` - 1).
    /// Longer lengths are nonsense or an attack; frames up to this pass in a stream if nothing must be read in them.
    package var frame = 0x3fff_fffe
    /// A message that must be held whole because its contents matter (statement text, parameters and rows of marked
    /// columns). 256 MiB: a quarter of PostgreSQL's own limit, so that one session can't take the proxy's memory.
    package var heldMessage = 256 << 20
    /// Answers the server still owes. A client that pipelines without reading is made to wait beyond this, so that the
    /// queue stays bounded (about 100 bytes each) however small its messages are.
    package var pendingResponses = 65_536
    /// Longest name of a statement or portal that is remembered; PostgreSQL itself truncates nothing here, but real
    /// drivers stay below 64 bytes.
    package var name = 4_096
    /// Prepared statements and portals remembered per session; PostgreSQL would take memory without end.
    package var registeredNames = 65_536
    /// How much output may wait for a peer that doesn't read before the other side's reads stop.
    package var outputHighWaterMark = 256 << 10
    package var outputLowWaterMark = 64 << 10
    /// Rows of one injected catalog query (one per column of the database); beyond that the catalog is refused.
    package var catalogRows = 2_000_000
    /// A cancel key: 4 bytes in protocol 3.0, up to 256 in 3.2.
    package var cancelKey = 256

    package init() {}
}
