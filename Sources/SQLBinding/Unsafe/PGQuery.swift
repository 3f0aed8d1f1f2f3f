internal import CPGQuery

/// libpg_query: PostgreSQL 15's own parser. The only place that holds C pointers.
enum PGQuery {
    enum ParseResult {
        /// The parse tree as JSON (UTF-8).
        case tree([UInt8])
        /// PostgreSQL's message (it may quote the text: never show it as it is) and the 1-based byte position, 0 if none.
        case failure(message: String, position: Int)
    }

    /// `sql` must hold no NUL byte. Thread-safe: libpg_query keeps its memory contexts per thread, and Debian's build does
    /// not redirect stderr. The recursion of its JSON writer is bounded by `NestingEstimate`.
    static func parse(_ sql: [UInt8]) -> ParseResult {
        var text = sql
        text.append(0)
        return unsafe text.withUnsafeBufferPointer { buffer in
            // SAFETY: `buffer` is NUL-terminated and outlives the call; libpg_query copies what it keeps.
            let result = unsafe buffer.withMemoryRebound(to: CChar.self) { unsafe pg_query_parse($0.baseAddress) }
            // SAFETY: the result is ours until this free; nothing of it is used afterwards.
            defer { unsafe pg_query_free_parse_result(result) }
            if let error = unsafe result.error {
                // SAFETY: `message` is a NUL-terminated string owned by the result, copied here.
                let message = unsafe error.pointee.message.map { unsafe String(cString: $0) } ?? "syntax error"
                return unsafe .failure(message: message, position: max(0, Int(error.pointee.cursorpos)))
            }
            guard let tree = unsafe result.parse_tree else { return .failure(message: "out of memory", position: 0) }
            // SAFETY: a NUL-terminated string owned by the result, copied here.
            let count = unsafe strlen(tree)
            return unsafe .tree(
                tree.withMemoryRebound(to: UInt8.self, capacity: count) { unsafe Array(UnsafeBufferPointer(start: $0, count: count)) })
        }
    }

    /// One token of PostgreSQL's scanner: the tests compare our lexer with it. Protobuf bytes, or nil on error.
    static func scan(_ sql: [UInt8]) -> [UInt8]? {
        var text = sql
        text.append(0)
        return unsafe text.withUnsafeBufferPointer { buffer in
            // SAFETY: as in `parse`.
            let result = unsafe buffer.withMemoryRebound(to: CChar.self) { unsafe pg_query_scan($0.baseAddress) }
            // SAFETY: as in `parse`.
            defer { unsafe pg_query_free_scan_result(result) }
            guard unsafe result.error == nil, let data = unsafe result.pbuf.data else { return unsafe result.error == nil ? [] : nil }
            let count = unsafe result.pbuf.len
            // SAFETY: `data` has `len` bytes, owned by the result, copied here.
            return unsafe data.withMemoryRebound(to: UInt8.self, capacity: count) {
                unsafe Array(UnsafeBufferPointer(start: $0, count: count))
            }
        }
    }
}
