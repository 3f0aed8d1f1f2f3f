internal import Glibc

/// -1, 0 or 1: by the first byte that differs, then by length (`memcmp`, as PostgreSQL's "C" collation and bytea).
func compareBytes(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int32 {
    let common = min(a.count, b.count)
    // SAFETY: both pointers cover at least `common` bytes for the length of the call; memcmp is not called for none.
    let order: Int32 = unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in
            guard common > 0, let x = a.baseAddress, let y = b.baseAddress else { return 0 }
            return unsafe memcmp(x, y, common)
        }
    }
    if order != 0 { return order < 0 ? -1 : 1 }
    return a.count < b.count ? -1 : a.count == b.count ? 0 : 1
}

func equalBytes(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool { a.count == b.count && compareBytes(a, b) == 0 }

/// Appends with one copy; a span has no faster way of its own.
func appendBytes(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
    // SAFETY: the pointer covers the span for the length of the call.
    unsafe bytes.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
}
