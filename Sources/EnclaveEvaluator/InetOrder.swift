/// inet as PostgreSQL orders it: `network_cmp_internal` (src/backend/utils/adt/network.c).
///
/// | byte | content |
/// |---|---|
/// | 0 | family: 2 = IPv4, 3 = IPv6 |
/// | 1 | bits of the netmask |
/// | 2 | is cidr: 0 |
/// | 3 | length of the address: 4 or 16 |
/// | 4... | the address |
enum InetOrder {
    private static let headerByteCount = 4

    /// By family, then by the bits that both netmasks cover, then by netmask, then by address.
    static func compare(_ a: Span<UInt8>, _ b: Span<UInt8>) throws(Refusal) -> Int32 {
        try check(a)
        try check(b)
        guard a[0] == b[0] else { return a[0] < b[0] ? -1 : 1 }
        let common = Int(min(a[1], b[1]))
        for bit in stride(from: 0, to: common, by: 8) {
            let covered = min(8, common - bit)
            let mask = UInt8(truncatingIfNeeded: 0xff00 >> covered)
            let x = a[headerByteCount + bit / 8] & mask
            let y = b[headerByteCount + bit / 8] & mask
            if x != y { return x < y ? -1 : 1 }
        }
        if a[1] != b[1] { return a[1] < b[1] ? -1 : 1 }
        return compareBytes(a, b)
    }

    /// Throws `badCell` unless the bytes are an inet.
    static func check(_ value: Span<UInt8>) throws(Refusal) {
        guard value.count >= headerByteCount, value[2] == 0, value.count == headerByteCount + Int(value[3]) else { throw .badCell }
        switch (value[0], value[3]) {
        case (2, 4): guard value[1] <= 32 else { throw .badCell }
        case (3, 16): guard value[1] <= 128 else { throw .badCell }
        default: throw .badCell
        }
    }
}
