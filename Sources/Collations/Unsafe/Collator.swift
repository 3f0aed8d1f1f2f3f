package import CellFormat
internal import CICU
internal import Glibc

/// `CREATE COLLATION … (provider = icu, locale = 'name', deterministic = …)` of PostgreSQL 15, deterministic for the tertiary
/// strength only. Not Sendable: one per thread.
@safe package final class Collator {
    private let handle: OpaquePointer
    package let collation: Collation
    /// UTF-16 of the text at hand, and what was made of it; overwritten by the next.
    private var units: [UInt16] = []
    private var changed: [UInt16] = []

    /// ICU's data is the linked one from the first use on.
    private static let isReady = cloister_icu_use_linked_data() != 0

    init?(_ collation: Collation) {
        guard Self.isReady, collation != .c else { return nil }
        // SAFETY: a C string for the length of the call; the collator is closed in `deinit`.
        guard let handle = unsafe collation.name.withCString({ unsafe cloister_icu_open($0) }) else { return nil }
        unsafe self.handle = handle
        self.collation = collation
    }

    deinit { unsafe cloister_icu_close(handle) }

    /// -1, 0 or 1 (`varstr_cmp`); nil if ICU fails. Under a deterministic collation, what ICU calls equal is ordered by bytes.
    package func compare(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int32? {
        guard a.count <= Int32.max, b.count <= Int32.max else { return nil }
        // SAFETY: both pointers cover their counts for the length of the call.
        return unsafe a.withUnsafeBytes { x -> Int32? in
            unsafe b.withUnsafeBytes { y -> Int32? in
                let common = min(x.count, y.count)
                var bytes: Int32 = 0
                if common > 0, let p = x.baseAddress, let q = y.baseAddress { bytes = unsafe memcmp(p, q, common) }
                if bytes == 0 { bytes = x.count < y.count ? -1 : x.count == y.count ? 0 : 1 }
                if bytes == 0 { return 0 }
                var order: Int32 = 0
                let p = unsafe x.assumingMemoryBound(to: CChar.self).baseAddress
                let q = unsafe y.assumingMemoryBound(to: CChar.self).baseAddress
                guard unsafe cloister_icu_compare(handle, p, Int32(x.count), q, Int32(y.count), &order) != 0 else { return nil }
                if order != 0 || !collation.isDeterministic { return order }
                return bytes < 0 ? -1 : 1
            }
        }
    }

    /// Appends ICU's sort key: the same bytes exactly for texts that ICU calls equal. False if the text is not UTF-8.
    package func appendSortKey(of text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
        guard let count = decode(text) else { return false }
        var key = [UInt8](repeating: 0, count: 8 * text.count + 64)
        for _ in 0..<2 {
            // SAFETY: ICU is told how much room there is.
            let needed = unsafe key.withUnsafeMutableBufferPointer { key in
                unsafe units.withUnsafeBufferPointer {
                    unsafe cloister_icu_sort_key(handle, $0.baseAddress, Int32(count), key.baseAddress, Int32(key.count))
                }
            }
            guard needed > 0 else { return false }
            if needed <= key.count {
                output.append(contentsOf: key[..<Int(needed)])
                return true
            }
            key = [UInt8](repeating: 0, count: Int(needed))
        }
        return false
    }

    /// Appends the text in small letters as the collation's language has them (`lower()`). False if the text is not UTF-8.
    package func appendLowered(_ text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
        guard let count = decode(text) else { return false }
        guard
            let changedCount = unsafe Self.filled(
                &changed, atLeast: count,
                { room, length in
                    // SAFETY: ICU is told how much room there is; source and target are different arrays.
                    unsafe collation.name.withCString { locale in
                        unsafe units.withUnsafeBufferPointer {
                            unsafe cloister_icu_lower(
                                locale, $0.baseAddress, Int32(count), room.baseAddress, Int32(room.count), length)
                        }
                    }
                })
        else { return false }
        // A unit of UTF-16 gives at most three bytes.
        var bytes = [UInt8](repeating: 0, count: 3 * changedCount + 1)
        var length: Int32 = 0
        // SAFETY: as above.
        let done = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe changed.withUnsafeBufferPointer {
                unsafe cloister_icu_encode(
                    $0.baseAddress, Int32(changedCount), bytes.assumingMemoryBound(to: CChar.self).baseAddress, Int32(bytes.count), &length)
            }
        }
        guard done != 0, length <= bytes.count else { return false }
        output.append(contentsOf: bytes[..<Int(length)])
        return true
    }

    /// Puts the text into `units` and returns how many there are; nil if it is not UTF-8.
    private func decode(_ text: Span<UInt8>) -> Int? {
        guard text.count <= Int32.max / 4 else { return nil }
        return unsafe Self.filled(&units, atLeast: text.count) { room, length in
            // SAFETY: the pointer covers the text for the length of the call; ICU is told how much room there is.
            unsafe text.withUnsafeBytes {
                unsafe cloister_icu_decode(
                    $0.assumingMemoryBound(to: CChar.self).baseAddress, Int32($0.count), room.baseAddress, Int32(room.count), length)
            }
        }
    }

    /// Lets `write` fill `buffer`, once more with more room if it asks for that. Returns the length it gave; nil if it failed.
    private static func filled(
        _ buffer: inout [UInt16], atLeast count: Int,
        _ write: (UnsafeMutableBufferPointer<UInt16>, UnsafeMutablePointer<Int32>) -> Int32
    ) -> Int? {
        if buffer.count < count + 1 { buffer = [UInt16](repeating: 0, count: max(count + 1, 256)) }
        for _ in 0..<2 {
            var length: Int32 = 0
            let done = unsafe buffer.withUnsafeMutableBufferPointer { unsafe write($0, &length) }
            guard done != 0, length >= 0 else { return nil }
            if length <= buffer.count { return Int(length) }
            buffer = [UInt16](repeating: 0, count: Int(length))
        }
        return nil
    }
}
