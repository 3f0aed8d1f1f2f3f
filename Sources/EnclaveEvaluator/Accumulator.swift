internal import CellFormat
internal import EnclaveABI

/// The aggregates (`enum cloister_aggregate_function`).
enum AggregateFunction: UInt32 {
    case sum = 1
    case avg = 2
    case stddevPop = 3
    case stddevSamp = 4
    case varPop = 5
    case varSamp = 6

    var needsSquares: Bool { self != .sum && self != .avg }
    var isSample: Bool { self == .stddevSamp || self == .varSamp }
    var isDeviation: Bool { self == .stddevPop || self == .stddevSamp }

    /// The result's type, as of PostgreSQL's own aggregates; nil: there is none for the type.
    func result(of type: LogicalType) -> LogicalType? {
        switch type {
        case .int2, .int4: self == .sum ? .int8 : .numeric
        case .int8, .numeric: .numeric
        case .float4: self == .sum ? .float4 : .float8
        case .float8: .float8
        default: nil
        }
    }
}

/// The running state of one aggregate over values of one type: PostgreSQL's own arithmetic, step by step. Integers and numeric
/// are exact, so the order of values does not matter; floats are added in the order in which they come.
struct Accumulator {
    let function: AggregateFunction
    let type: LogicalType
    private(set) var count = 0

    // int2, int4, int8: 2^31 values at most, so neither sum overflows.
    private var integerSum: Int128 = 0
    private var integerSquares: Int128 = 0
    // numeric, and squares of int8.
    private var sum = ExactDecimal.zero
    private var squares = ExactDecimal.zero
    private var notNumbers = 0
    private var plusInfinities = 0
    private var minusInfinities = 0
    // float4, float8: the sum, or Youngs and Cramer's N, Sx, Sxx (float.c, float8_accum).
    private var floatSum = 0.0
    private var floatSquares = 0.0

    init(_ function: AggregateFunction, _ type: LogicalType) {
        self.function = function
        self.type = type
    }

    /// Takes a value's canonical bytes. Throws `badCell`, `tooLarge`, `outOfRange`.
    mutating func add(_ value: Span<UInt8>) throws(Refusal) {
        guard count < Int(Int32.max) else { throw .tooLarge }
        switch type {
        case .int2, .int4, .int8:
            let number = Int128(try ValueOrder.signed(value, WideOperand.width(type)))
            integerSum += number
            guard function.needsSquares else { break }
            if type == .int8 { squares = squares + ExactDecimal(number * number) } else { integerSquares += number * number }
        case .numeric: try add(numeric: value)
        case .float4: try add(float: Double(Float(bitPattern: UInt32(truncatingIfNeeded: try ValueOrder.integer(value, 4)))))
        case .float8: try add(float: Double(bitPattern: try ValueOrder.integer(value, 8)))
        default: throw .mismatch
        }
        count += 1
    }

    private mutating func add(numeric value: Span<UInt8>) throws(Refusal) {
        let form = try NumericForm(value)
        switch form.rank {
        case .notANumber: notNumbers += 1
        case .plusInfinity: plusInfinities += 1
        case .minusInfinity: minusInfinities += 1
        case .negative, .zero, .positive:
            let number = try form.decimal(value)
            sum = sum + number
            if function.needsSquares { squares = squares + number * number }
        }
    }

    private mutating func add(float value: Double) throws(Refusal) {
        if function == .sum {
            // float4pl and float8pl; the first value is the first state.
            let wide = count == 0 ? value : floatSum + value
            let result = type == .float4 ? Double(count == 0 ? Float(value) : Float(floatSum) + Float(value)) : wide
            if result.isInfinite, count > 0, !floatSum.isInfinite, !value.isInfinite { throw .outOfRange }
            floatSum = result
            return
        }
        let before = floatSum
        let n = Double(count + 1)
        floatSum += value
        if count > 0 {
            let deviation = value * n - floatSum
            floatSquares += deviation * deviation / (n * Double(count))
            if floatSum.isInfinite || floatSquares.isInfinite {
                if !before.isInfinite, !value.isInfinite { throw .outOfRange }
                floatSquares = .nan
            }
        } else if value.isNaN || value.isInfinite {
            floatSquares = .nan
        }
    }

    /// The result's canonical bytes. At least two values were added.
    func finish() throws(Refusal) -> [UInt8] {
        switch type {
        case .float4, .float8: return floatResult
        case .int2, .int4, .int8:
            let squares = type == .int8 ? self.squares : ExactDecimal(integerSquares)
            return try exactResult(ExactDecimal(integerSum), squares)
        default:
            let specials = notNumbers + plusInfinities + minusInfinities
            guard specials > 0 else { return try exactResult(sum, squares) }
            if function.needsSquares || notNumbers > 0 || (plusInfinities > 0 && minusInfinities > 0) { return Self.special(0xC000, 0) }
            return plusInfinities > 0 ? Self.special(0xD000, 32) : Self.special(0xF000, 32)
        }
    }

    private static func special(_ sign: UInt64, _ scale: UInt64) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, 0]
        ValueOrder.append(sign, 2, &bytes)
        ValueOrder.append(scale, 2, &bytes)
        return bytes
    }

    private func exactResult(_ sum: ExactDecimal, _ squares: ExactDecimal) throws(Refusal) -> [UInt8] {
        let n = ExactDecimal(Int128(count))
        switch function {
        case .sum:
            guard type == .int2 || type == .int4 else { return sum.bytes }
            guard let small = Int64(exactly: integerSum) else { throw .outOfRange }
            var bytes: [UInt8] = []
            ValueOrder.append(UInt64(bitPattern: small), 8, &bytes)
            return bytes
        case .avg:
            guard let mean = sum.divided(by: n) else { throw .badRequest }
            return mean.bytes
        case .stddevPop, .stddevSamp, .varPop, .varSamp:
            // numeric_stddev_internal: (N ΣX² - (ΣX)²) / (N (N - 1)), or / N².
            let numerator = n * squares - sum * sum
            if numerator.isNegative || numerator.magnitude.isZero { return ExactDecimal.zero.bytes }
            let divisor = function.isSample ? n * ExactDecimal(Int128(count - 1)) : n * n
            guard let variance = numerator.divided(by: divisor) else { throw .badRequest }
            return (function.isDeviation ? variance.squareRoot : variance).bytes
        }
    }

    private var floatResult: [UInt8] {
        var bytes: [UInt8] = []
        let n = Double(count)
        switch function {
        case .sum where type == .float4:
            ValueOrder.append(UInt64(Float(floatSum).bitPattern), 4, &bytes)
            return bytes
        case .sum: ValueOrder.append(floatSum.bitPattern, 8, &bytes)
        case .avg: ValueOrder.append((floatSum / n).bitPattern, 8, &bytes)
        case .varPop: ValueOrder.append((floatSquares / n).bitPattern, 8, &bytes)
        case .varSamp: ValueOrder.append((floatSquares / (n - 1)).bitPattern, 8, &bytes)
        case .stddevPop: ValueOrder.append((floatSquares / n).squareRoot().bitPattern, 8, &bytes)
        case .stddevSamp: ValueOrder.append((floatSquares / (n - 1)).squareRoot().bitPattern, 8, &bytes)
        }
        return bytes
    }
}
