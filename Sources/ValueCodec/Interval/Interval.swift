import Diagnostics

/// interval in PostgreSQL's binary form (interval_send), the canonical form of the type:
///
/// | byte | content (big endian) |
/// |---|---|
/// | 0..7 | microseconds |
/// | 8..11 | days |
/// | 12..15 | months |
struct Interval: Equatable {
    var time: Int64 = 0
    var day: Int32 = 0
    var month: Int32 = 0

    static let secondsPerHour: Int64 = 3600
    static let microsecondsPerHour: Int64 = 3_600_000_000
    static let microsecondsPerMinute: Int64 = 60_000_000

    init(time: Int64 = 0, day: Int32 = 0, month: Int32 = 0) {
        (self.time, self.day, self.month) = (time, day, month)
    }

    init(binary bytes: [UInt8]) throws(CloisterError) {
        guard bytes.count >= 16 else { throw ValueCodec.shortBinary() }
        guard bytes.count == 16 else { throw ValueCodec.longBinary() }
        time = Bytes.integer(bytes)
        day = Bytes.integer(bytes, at: 8)
        month = Bytes.integer(bytes, at: 12)
    }

    var canonical: [UInt8] { Bytes.bigEndian(time) + Bytes.bigEndian(day) + Bytes.bigEndian(month) }

    static func outOfRange() -> CloisterError { CloisterError(.dateTimeOutOfRange, "interval out of range") }

    /// interval_cmp_value: microseconds, a month counted as 30 days and a day as 24 hours; at most 2^31 × 31 days, which
    /// needs 128 bits.
    var span: Int128 {
        Int128(time) + (Int128(day) + Int128(month) * 30) * Int128(Calendar.microsecondsPerDay)
    }

    /// The one interval of all that compare equal: as many whole days as the span holds, then months out of those that
    /// days can't count.
    var normalized: Interval {
        let span = span
        var days = span / Int128(Calendar.microsecondsPerDay)
        let time = Int64(span % Int128(Calendar.microsecondsPerDay))
        let months = days / 30
        days -= months * 30
        if let month = Int32(exactly: months) { return Interval(time: time, day: Int32(days), month: month) }
        // Only spans beyond 2^31 months come here: the rest stays in days, and what those can't hold in the time, of which at
        // least as much was given.
        let month = months > 0 ? Int32.max : Int32.min
        let rest = months * 30 + days - Int128(month) * 30
        let day = Int32(clamping: rest)
        let left = (rest - Int128(day)) * Int128(Calendar.microsecondsPerDay) + Int128(time)
        return Interval(time: Int64(clamping: left), day: day, month: month)
    }
}

/// interval(p) and `interval fields(p)` as atttypmod packs them (INTERVAL_TYPMOD).
struct IntervalModifier {
    struct Fields: OptionSet {
        var rawValue: Int32
        static let month = Fields(rawValue: 1 << 1)
        static let year = Fields(rawValue: 1 << 2)
        static let day = Fields(rawValue: 1 << 3)
        static let hour = Fields(rawValue: 1 << 10)
        static let minute = Fields(rawValue: 1 << 11)
        static let second = Fields(rawValue: 1 << 12)
        static let all = Fields(rawValue: 0x7fff)
    }

    let fields: Fields
    /// nil: six decimals.
    let precision: Int32?

    static let none = IntervalModifier(-1)

    init(_ modifier: Int32) {
        fields = modifier < 0 ? .all : Fields(rawValue: modifier >> 16 & 0x7fff)
        precision = modifier < 0 || modifier & 0xffff == 0xffff ? nil : modifier & 0xffff
    }
}

extension Interval {
    /// AdjustIntervalForTypmod.
    mutating func limit(_ modifier: IntervalModifier) {
        switch modifier.fields {
        case .year:
            month = month / 12 * 12
            (day, time) = (0, 0)
        case .month, [.year, .month]: (day, time) = (0, 0)
        case .day: time = 0
        case .hour, [.day, .hour]: time = time / Self.microsecondsPerHour * Self.microsecondsPerHour
        case .minute, [.day, .hour, .minute], [.hour, .minute]:
            time = time / Self.microsecondsPerMinute * Self.microsecondsPerMinute
        default: break
        }
        if let precision = modifier.precision { time = Limit.rounded(time, precision) }
    }
}
