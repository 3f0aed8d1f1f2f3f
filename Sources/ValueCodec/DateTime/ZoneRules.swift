/// The offsets of one time zone through time: a TZif file (RFC 8536), or a POSIX TZ rule as a name. Behaves as
/// PostgreSQL's pg_localtime and pg_next_dst_boundary on the same file.
final class ZoneRules: Sendable {
    struct Period: Sendable {
        /// Seconds east of UTC.
        var offset: Int
        var isSummer: Bool
        var abbreviation: [UInt8]
    }

    /// Seconds since 1970, ascending.
    private let instants: [Int]
    private let indices: [UInt8]
    private let periods: [Period]
    /// What holds after the last instant.
    private let rule: PosixZone?

    private init(instants: [Int], indices: [UInt8], periods: [Period], rule: PosixZone?) {
        self.instants = instants
        self.indices = indices
        self.periods = periods
        self.rule = rule
    }

    enum Lookup {
        case found(ZoneRules)
        case unknown
        /// A zone whose meaning is the server host's alone.
        case serverDefined
    }

    /// PostgreSQL's pg_tzset: a file of the zone database under any case, else a POSIX rule in upper case.
    static func named(_ name: [UInt8]) -> Lookup {
        guard !name.isEmpty, name.count <= 255, name.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return .unknown }
        let upper = name.map(\.uppercased)
        if upper == Array("GMT".utf8) || upper == Array("UTC".utf8) {
            let utc = Period(offset: 0, isSummer: false, abbreviation: upper)
            return .found(ZoneRules(instants: [], indices: [], periods: [utc], rule: nil))
        }
        // These mean what the server's host says, not ours.
        let components = name.split(separator: ascii("/"), omittingEmptySubsequences: false)
        let last = (components.last ?? []).map(\.lowercased)
        if last == Array("localtime".utf8) || last == Array("posixrules".utf8) { return .serverDefined }
        if let bytes = ZoneFiles.read(name) {
            // A file we can't read (leap seconds, say) is a zone all the same.
            guard let zone = ZoneRules(tzif: bytes) else { return .serverDefined }
            return .found(zone)
        }
        guard let rule = PosixZone(upper) else { return .unknown }
        return rule.lacksRules ? .serverDefined : .found(ZoneRules(instants: [], indices: [], periods: [], rule: rule))
    }

    // MARK: TZif

    private convenience init?(tzif bytes: [UInt8]) {
        guard let first = Header(bytes, at: 0) else { return nil }
        if first.version == 0 {
            guard let body = Body(bytes, at: Header.size, header: first, wide: false) else { return nil }
            self.init(body, rule: nil)
            return
        }
        let second = Header.size + first.bodySize(wide: false)
        guard let header = Header(bytes, at: second), header.leapCount == 0,
            let body = Body(bytes, at: second + Header.size, header: header, wide: true)
        else { return nil }
        let footer = second + Header.size + header.bodySize(wide: true)
        var rule: PosixZone?
        if footer < bytes.count, bytes[footer] == 0x0a {
            let text = bytes[(footer + 1)...].prefix { $0 != 0x0a }
            if !text.isEmpty {
                rule = PosixZone(Array(text))
                if rule?.lacksRules ?? true { return nil }
            }
        }
        self.init(body, rule: rule)
    }

    private convenience init(_ body: Body, rule: PosixZone?) {
        self.init(instants: body.instants, indices: body.indices, periods: body.periods, rule: rule)
    }

    private struct Header {
        static let size = 44
        var version: UInt8
        var utCount, standardCount, leapCount, timeCount, typeCount, characterCount: Int

        init?(_ bytes: [UInt8], at offset: Int) {
            guard offset >= 0, bytes.count >= offset + Self.size, bytes[offset..<offset + 4].elementsEqual("TZif".utf8) else {
                return nil
            }
            func count(_ index: Int) -> Int { Int(Bytes.integer(bytes, at: offset + 20 + index * 4, as: UInt32.self)) }
            version = bytes[offset + 4]
            (utCount, standardCount, leapCount) = (count(0), count(1), count(2))
            (timeCount, typeCount, characterCount) = (count(3), count(4), count(5))
            guard typeCount > 0, typeCount <= 256, timeCount < 10_000, leapCount < 1000, characterCount < 10_000,
                utCount <= typeCount, standardCount <= typeCount
            else { return nil }
        }

        func bodySize(wide: Bool) -> Int {
            let time = wide ? 8 : 4
            return timeCount * (time + 1) + typeCount * 6 + characterCount + leapCount * (time + 4) + standardCount + utCount
        }
    }

    private struct Body {
        var instants: [Int] = []
        var indices: [UInt8] = []
        var periods: [Period] = []

        init?(_ bytes: [UInt8], at start: Int, header: Header, wide: Bool) {
            guard bytes.count >= start + header.bodySize(wide: wide), header.leapCount == 0 else { return nil }
            var offset = start
            for _ in 0..<header.timeCount {
                instants.append(
                    wide ? Int(Bytes.integer(bytes, at: offset, as: Int64.self)) : Int(Bytes.integer(bytes, at: offset, as: Int32.self)))
                offset += wide ? 8 : 4
            }
            indices = Array(bytes[offset..<offset + header.timeCount])
            offset += header.timeCount
            let names = offset + header.typeCount * 6
            for index in 0..<header.typeCount {
                let at = offset + index * 6
                let name = names + Int(bytes[at + 5])
                guard name < names + header.characterCount else { return nil }
                periods.append(
                    Period(
                        offset: Int(Bytes.integer(bytes, at: at, as: Int32.self)), isSummer: bytes[at + 4] != 0,
                        abbreviation: Array(bytes[name..<names + header.characterCount].prefix { $0 != 0 })))
            }
            guard indices.allSatisfy({ Int($0) < header.typeCount }) else { return nil }
        }
    }

    // MARK: Lookup

    /// What is in force at an instant (seconds since 1970).
    func period(at instant: Int) -> Period {
        guard let last = instants.last else { return rule?.around(instant).current ?? periods[0] }
        if instant >= last {
            if let rule { return rule.around(instant).current }
            return periods[Int(indices[indices.count - 1])]
        }
        let next = firstIndex(after: instant)
        return next == 0 ? periods[0] : periods[Int(indices[next - 1])]
    }

    private func firstIndex(after instant: Int) -> Int {
        var low = 0
        var high = instants.count
        while low < high {
            let middle = (low + high) / 2
            if instants[middle] > instant { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The period at an instant, and the next change after it if any.
    private func boundary(after instant: Int) -> (before: Period, next: (instant: Int, into: Period)?) {
        guard let last = instants.last else {
            guard let rule else { return (periods[0], nil) }
            let (before, next) = rule.around(instant)
            return (before, next)
        }
        if instant >= last {
            guard let rule else { return (periods[Int(indices[indices.count - 1])], nil) }
            // Between the file's last change and the rule's first, the file's type is in force; they agree in good files.
            let (before, next) = rule.around(instant)
            return (before, next)
        }
        let next = firstIndex(after: instant)
        let before = next == 0 ? (periods.first { !$0.isSummer } ?? periods[0]) : periods[Int(indices[next - 1])]
        return (before, (instants[next], periods[Int(indices[next])]))
    }

    /// The one offset of the zone if it never had another (pg_get_timezone_offset).
    var onlyOffset: Int? {
        guard !periods.isEmpty else { return rule?.onlyOffset }
        let first = periods[0].offset
        return periods.allSatisfy { $0.offset == first } ? first : nil
    }

    /// The offset that holds from an instant on for ever.
    func lastingOffset(from instant: Int) -> Int? {
        let offset = period(at: instant).offset
        for index in firstIndex(after: instant)..<instants.count where periods[Int(indices[index])].offset != offset { return nil }
        if let rule, rule.onlyOffset != offset { return nil }
        return offset
    }

    /// Whether the offset differs a day before and a day after an instant.
    func changes(near instant: Int) -> Bool {
        period(at: instant - Calendar.secondsPerDay).offset != period(at: instant + Calendar.secondsPerDay).offset
    }

    /// PostgreSQL's DetermineTimeZoneOffset: seconds east of UTC for local fields. In a gap the offset before it holds, in a
    /// repeated hour the one after. Out-of-range dates give 0 (their caller refuses them).
    func offset(local: DateTimeFields) -> Int {
        guard Calendar.isValidJulian(local.year, local.month) else { return 0 }
        let wall = local.unixSeconds
        let (before, next) = boundary(after: wall - Calendar.secondsPerDay)
        guard let next else { return before.offset }
        let early = wall - before.offset
        let late = wall - next.into.offset
        if early < next.instant, late < next.instant { return before.offset }
        if early > next.instant, late >= next.instant { return next.into.offset }
        return early > late ? before.offset : next.into.offset
    }
}
