/// A natural number of any size: digits to base 10000, least significant first, the last one not zero. What PostgreSQL's
/// numeric is made of, so that sums and quotients come out digit by digit as there.
struct Magnitude: Equatable {
    static let base: UInt64 = 10_000
    private(set) var digits: [UInt32] = []

    var isZero: Bool { digits.isEmpty }

    init() {}

    init(_ value: UInt128) {
        var rest = value
        while rest > 0 {
            digits.append(UInt32(rest % UInt128(Self.base)))
            rest /= UInt128(Self.base)
        }
    }

    /// Least significant first.
    init(digits: [UInt32]) {
        self.digits = digits
        trim()
    }

    static func + (a: Magnitude, b: Magnitude) -> Magnitude {
        let (long, short) = a.digits.count >= b.digits.count ? (a.digits, b.digits) : (b.digits, a.digits)
        var result = long
        var carry: UInt32 = 0
        for index in long.indices {
            if index >= short.count, carry == 0 { break }
            let sum = long[index] + (index < short.count ? short[index] : 0) + carry
            carry = sum >= UInt32(base) ? 1 : 0
            result[index] = sum - carry * UInt32(base)
        }
        if carry > 0 { result.append(carry) }
        return Magnitude(digits: result)
    }

    /// `a` - `b`, where `a` >= `b`.
    static func - (a: Magnitude, b: Magnitude) -> Magnitude {
        var result = a.digits
        var borrow: UInt32 = 0
        for index in result.indices {
            let taken = (index < b.digits.count ? b.digits[index] : 0) + borrow
            borrow = result[index] < taken ? 1 : 0
            result[index] = result[index] + borrow * UInt32(base) - taken
        }
        return Magnitude(digits: result)
    }

    static func * (a: Magnitude, b: Magnitude) -> Magnitude {
        guard !a.isZero, !b.isZero else { return Magnitude() }
        var result = [UInt64](repeating: 0, count: a.digits.count + b.digits.count)
        for (index, x) in a.digits.enumerated() {
            var carry: UInt64 = 0
            for (place, y) in b.digits.enumerated() {
                let sum = result[index + place] + UInt64(x) * UInt64(y) + carry
                result[index + place] = sum % base
                carry = sum / base
            }
            result[index + b.digits.count] += carry
        }
        return Magnitude(digits: result.map { UInt32($0) })
    }

    static func < (a: Magnitude, b: Magnitude) -> Bool {
        guard a.digits.count == b.digits.count else { return a.digits.count < b.digits.count }
        for (x, y) in zip(a.digits.reversed(), b.digits.reversed()) where x != y { return x < y }
        return false
    }

    /// The number times 10 to the power of `places`.
    func scaled(by places: Int) -> Magnitude {
        guard !isZero, places > 0 else { return self }
        let small: UInt128 = [1, 10, 100, 1000][places % 4]
        return Magnitude(digits: [UInt32](repeating: 0, count: places / 4) + (self * Magnitude(small)).digits)
    }

    /// Quotient and remainder; nil for a divisor of zero. Schoolbook division (Knuth, The Art of Computer Programming 4.3.1 D).
    func divided(by divisor: Magnitude) -> (quotient: Magnitude, remainder: Magnitude)? {
        guard let top = divisor.digits.last else { return nil }
        if self < divisor { return (Magnitude(), self) }
        // Both are multiplied so that the divisor's first digit is at least half of the base.
        let factor = Magnitude(UInt128(Self.base / (UInt64(top) + 1)))
        let d = (divisor * factor).digits
        var rest = (self * factor).digits.map { UInt64($0) } + [0]
        let count = d.count
        if rest.count <= count { rest.append(0) }
        var quotient = [UInt32](repeating: 0, count: rest.count - count)
        let first = UInt64(d[count - 1])
        let second = count > 1 ? UInt64(d[count - 2]) : 0
        for place in quotient.indices.reversed() {
            let high = rest[place + count] * Self.base + rest[place + count - 1]
            var guess = min(high / first, Self.base - 1)
            let next = count > 1 ? rest[place + count - 2] : 0
            while guess * second > (high - guess * first) * Self.base + next { guess -= 1 }
            var borrow: UInt64 = 0
            for index in 0..<count {
                let taken = guess * UInt64(d[index]) + borrow
                let low = taken % Self.base
                borrow = taken / Self.base
                if rest[place + index] < low {
                    rest[place + index] += Self.base
                    borrow += 1
                }
                rest[place + index] -= low
            }
            if rest[place + count] < borrow {
                // The guess was one too large: one divisor is given back.
                guess -= 1
                var carry: UInt64 = 0
                for index in 0..<count {
                    let sum = rest[place + index] + UInt64(d[index]) + carry
                    rest[place + index] = sum % Self.base
                    carry = sum / Self.base
                }
            }
            rest[place + count] = 0
            quotient[place] = UInt32(guess)
        }
        var remainder = Magnitude()
        if factor.digits != [1] {
            var carry: UInt64 = 0
            let divisor = UInt64(factor.digits.first ?? 1)
            var shrunk = [UInt32](repeating: 0, count: rest.count)
            for index in rest.indices.reversed() {
                let value = carry * Self.base + rest[index]
                shrunk[index] = UInt32(value / divisor)
                carry = value % divisor
            }
            remainder = Magnitude(digits: shrunk)
        } else {
            remainder = Magnitude(digits: rest.map { UInt32($0) })
        }
        return (Magnitude(digits: quotient), remainder)
    }

    /// The largest number whose square is not above this one (Newton's iteration, from above).
    var squareRoot: Magnitude {
        guard !isZero else { return self }
        var root = Magnitude(digits: [UInt32](repeating: 0, count: (digits.count + 1) / 2) + [1])
        while let quotient = divided(by: root)?.quotient {
            guard let next = (root + quotient).divided(by: Magnitude(2))?.quotient, next < root else { break }
            root = next
        }
        return root
    }

    private mutating func trim() { while digits.last == 0 { digits.removeLast() } }
}
