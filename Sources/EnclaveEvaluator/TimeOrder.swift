/// time with time zone and interval as PostgreSQL orders them (src/backend/utils/adt/date.c, timestamp.c).
enum TimeOrder {
    private static let microsecondsPerDay: Int128 = 86_400_000_000

    /// `timetz_cmp_internal`: by the moment in UTC; of the same moment, the one further east first. Equal only if both
    /// parts are.
    static func compareZoned(_ a: Span<UInt8>, _ b: Span<UInt8>) throws(Refusal) -> Int32 {
        let (aTime, aZone) = try zoned(a)
        let (bTime, bZone) = try zoned(b)
        let moment = ValueOrder.order(Int128(aTime) + Int128(aZone) * 1_000_000, Int128(bTime) + Int128(bZone) * 1_000_000)
        return moment != 0 ? moment : ValueOrder.order(aZone, bZone)
    }

    static func checkZoned(_ value: Span<UInt8>) throws(Refusal) { _ = try zoned(value) }

    /// int8 microseconds since midnight, local ‖ int4 seconds west of UTC.
    private static func zoned(_ value: Span<UInt8>) throws(Refusal) -> (time: Int64, zone: Int64) {
        guard value.count == 12 else { throw .badCell }
        return (try ValueOrder.signed(value.extracting(0..<8), 8), try ValueOrder.signed(value.extracting(8..<12), 4))
    }

    /// An interval's length in microseconds as `interval_cmp_value` counts it: a month has 30 days, a day 24 hours. The form:
    /// int8 microseconds ‖ int4 days ‖ int4 months.
    static func span(_ value: Span<UInt8>) throws(Refusal) -> Int128 {
        guard value.count == 16 else { throw .badCell }
        let time = try ValueOrder.signed(value.extracting(0..<8), 8)
        let days = try ValueOrder.signed(value.extracting(8..<12), 4)
        let months = try ValueOrder.signed(value.extracting(12..<16), 4)
        return Int128(time) + (Int128(months) * 30 + Int128(days)) * microsecondsPerDay
    }

    /// The one interval of a length: as many whole months as there are, then as many whole days, then microseconds, all of
    /// one sign; months and days stop at what int4 holds.
    static func normalize(span: Int128, into output: inout [UInt8]) {
        func whole(_ quotient: Int128) -> Int128 { min(max(quotient, Int128(Int32.min)), Int128(Int32.max)) }
        let months = whole(span / (30 * microsecondsPerDay))
        let days = whole((span - months * 30 * microsecondsPerDay) / microsecondsPerDay)
        let time = span - (months * 30 + days) * microsecondsPerDay
        ValueOrder.append(UInt64(truncatingIfNeeded: time), 8, &output)
        ValueOrder.append(UInt64(truncatingIfNeeded: days), 4, &output)
        ValueOrder.append(UInt64(truncatingIfNeeded: months), 4, &output)
    }
}
