internal import CPostgres
internal import Diagnostics
internal import Glibc

/// Owner of one `PGconn`: made in `init`, finished in `deinit`, never handed out.
///
/// Statements go through libpq's asynchronous calls, so that a deadline holds although the API blocks.
@safe final class PostgresHandle {
    /// SAFETY: from PQconnectdbParams in `init` until PQfinish in `deinit`; used by one thread at a time, since the class is
    /// not Sendable.
    private let connection: OpaquePointer

    init(_ keywords: [(String, String)]) throws(AdminFailure) {
        var opened: OpaquePointer?
        unsafe Self.withCStrings(keywords.map(\.0)) { names in
            unsafe Self.withCStrings(keywords.map(\.1)) { values in unsafe opened = PQconnectdbParams(names, values, 0) }
        }
        guard let connected = unsafe opened else { throw AdminFailure(.adminConnection, "libpq has no memory for a connection") }
        guard unsafe PQstatus(connected) == CONNECTION_OK else {
            // SAFETY: PQerrorMessage is a C string owned by the connection, copied before PQfinish.
            let message = unsafe String(cString: PQerrorMessage(connected))
            unsafe PQfinish(connected)
            throw AdminFailure(.adminConnection, Self.oneLine(message))
        }
        unsafe connection = connected
        unsafe PQsetnonblocking(connected, 1)
        // SAFETY: a processor that ignores its arguments: notices of the server must not reach standard error.
        unsafe PQsetNoticeProcessor(connected, { _, _ in }, nil)
    }

    deinit { unsafe PQfinish(connection) }

    func query(_ sql: String, _ parameters: [AdminParameter], milliseconds: Int) throws(AdminFailure) -> AdminResult {
        let deadline = Self.now() + milliseconds
        let values: [[UInt8]?] = parameters.map {
            switch $0 {
            case .null: nil
            case .text(let text): Array(text.utf8) + [0]
            case .integer(let number): Array(String(number).utf8) + [0]
            case .bytes(let bytes): bytes + [0]
            }
        }
        // libpq reads binary values by their length, text ones up to the zero.
        let lengths = values.map { Int32(clamping: ($0?.count ?? 1) - 1) }
        let formats: [Int32] = parameters.map { if case .bytes = $0 { 1 } else { 0 } }
        var sent: Int32 = 0
        unsafe Self.withPointers(values) { pointers in
            sent = unsafe PQsendQueryParams(connection, sql, Int32(values.count), nil, pointers, lengths, formats, 0)
        }
        guard sent == 1 else { throw lost() }
        while true {
            let rest = unsafe PQflush(connection)
            if rest == 0 { break }
            guard rest > 0 else { throw lost() }
            try wait(for: Int16(POLLIN | POLLOUT), until: deadline)
            guard unsafe PQconsumeInput(connection) == 1 else { throw lost() }
        }
        return try result(until: deadline)
    }

    func notifications(milliseconds: Int) throws(AdminFailure) -> [AdminNotification] {
        let deadline = Self.now() + milliseconds
        while true {
            guard unsafe PQconsumeInput(connection) == 1 else { throw lost() }
            var found: [AdminNotification] = []
            while let message = unsafe PQnotifies(connection) {
                // SAFETY: libpq allocated the message and its strings in one piece; copied, then freed once.
                unsafe found.append(
                    AdminNotification(channel: String(cString: message.pointee.relname), payload: String(cString: message.pointee.extra)))
                unsafe PQfreemem(message)
            }
            if !found.isEmpty { return found }
            guard try isReadable(until: deadline) else { return [] }
        }
    }

    // MARK: - One statement's answer

    /// Reads results until libpq has no more; the first error wins, else the last result.
    private func result(until deadline: Int) throws(AdminFailure) -> AdminResult {
        var failure: AdminFailure?
        var result = AdminResult(columns: [], rows: [])
        while true {
            while unsafe PQisBusy(connection) == 1 {
                try wait(for: Int16(POLLIN), until: deadline)
                guard unsafe PQconsumeInput(connection) == 1 else { throw lost() }
            }
            guard let next = unsafe PQgetResult(connection) else { break }
            // SAFETY: each PGresult is read and cleared in this turn of the loop.
            defer { unsafe PQclear(next) }
            switch unsafe PQresultStatus(next) {
            case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: result = unsafe Self.rows(of: next)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: if failure == nil { failure = unsafe self.failure(of: next) }
            }
            // SAFETY: reads a field of the live connection.
            if unsafe PQstatus(connection) == CONNECTION_BAD { throw failure ?? lost() }
        }
        if let failure { throw failure }
        return result
    }

    private static func rows(of result: OpaquePointer) -> AdminResult {
        let (height, width) = unsafe (PQntuples(result), PQnfields(result))
        // SAFETY: row and column are below the counts just read; PQgetvalue's strings live until PQclear and are copied.
        let names = (0..<width).map { unsafe PQfname(result, $0).map { unsafe String(cString: $0) } ?? "" }
        let rows = (0..<height).map { row in
            (0..<width).map { column -> String? in
                unsafe PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
        return AdminResult(columns: names, rows: rows)
    }

    /// Classes whose primary messages name objects, roles or states, never data.
    private static let classesThatNameObjectsOnly: Set<String> = [
        "08", "0A", "25", "28", "2B", "3D", "3F", "42", "53", "54", "55", "57", "58", "YE",
    ]

    private func failure(of result: OpaquePointer) -> AdminFailure {
        func field(_ code: Character) -> String? {
            // SAFETY: the field's string lives until PQclear and is copied.
            unsafe PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { unsafe String(cString: $0) }
        }
        let state = field("C") ?? "XX000"
        let message = Self.classesThatNameObjectsOnly.contains(String(state.prefix(2))) ? field("M") : nil
        let hint = message == nil ? nil : field("H")
        return AdminFailure(
            .adminStatement, "the server refused a statement with SQLSTATE \(state)" + (message.map { ": " + Self.oneLine($0) } ?? ""),
            sqlState: state, hint: hint.map(Self.oneLine) ?? "")
    }

    private func lost() -> AdminFailure {
        // SAFETY: PQerrorMessage is owned by the connection and copied at once.
        AdminFailure(.adminConnection, "the connection was lost: " + Self.oneLine(unsafe String(cString: PQerrorMessage(connection))))
    }

    // MARK: - Waiting

    private func wait(for events: Int16, until deadline: Int) throws(AdminFailure) {
        guard try poll(for: events, until: deadline) else {
            cancel()
            throw AdminFailure(.adminDeadline, "the server did not answer in time")
        }
    }

    private func isReadable(until deadline: Int) throws(AdminFailure) -> Bool { try poll(for: Int16(POLLIN), until: deadline) }

    private func poll(for events: Int16, until deadline: Int) throws(AdminFailure) -> Bool {
        while true {
            let rest = deadline - Self.now()
            guard rest > 0 else { return false }
            var entry = pollfd(fd: unsafe PQsocket(connection), events: events, revents: 0)
            guard entry.fd >= 0 else { throw lost() }
            // SAFETY: one entry, on the stack for the call's time.
            let ready = unsafe Glibc.poll(&entry, 1, Int32(clamping: rest))
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { throw lost() }
        }
    }

    private func cancel() {
        // SAFETY: the PGcancel is freed in the same scope; the buffer is larger than libpq's longest message (256).
        guard let request = unsafe PQgetCancel(connection) else { return }
        var buffer = [CChar](repeating: 0, count: 256)
        unsafe _ = PQcancel(request, &buffer, 256)
        unsafe PQfreeCancel(request)
    }

    /// Milliseconds of the monotonic clock.
    private static func now() -> Int {
        var time = timespec()
        // SAFETY: writes one timespec.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    // MARK: - C arrays

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: \.isWhitespace) }.joined(separator: "; ")
    }

    /// Calls `body` with a zero-terminated array of C strings, all of which live until it returns.
    private static func withCStrings(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Void) {
        unsafe withPointers(texts.map { Array($0.utf8) + [0] } + [nil], body)
    }

    /// Calls `body` with one pointer per value (NULL for nil). The bytes lie in one buffer that lives until it returns.
    private static func withPointers(_ values: [[UInt8]?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Void) {
        let bytes = values.flatMap { $0 ?? [] }.map { CChar(bitPattern: $0) } + [0]
        // SAFETY: offsets are sums of the values' own lengths, so each pointer starts inside `bytes`; both buffers outlive `body`.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var offset = 0
            var pointers: [UnsafePointer<CChar>?] = unsafe []
            for value in values {
                unsafe pointers.append(value == nil ? nil : buffer.baseAddress.map { unsafe $0 + offset })
                offset += value?.count ?? 0
            }
            unsafe pointers.append(nil)
            unsafe pointers.withUnsafeBufferPointer { array in
                if let base = array.baseAddress { unsafe body(base) }
            }
        }
    }
}
