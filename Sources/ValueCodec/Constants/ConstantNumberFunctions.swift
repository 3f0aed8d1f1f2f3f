internal import CellFormat
internal import Diagnostics

extension ConstantCall {
    func numberFunction() throws(CloisterError) -> TypedValue? {
        switch (name, arguments.count) {
        case ("abs", 1): return try absolute()
        case ("round", 1):
            return try rounded { (value) throws(CloisterError) in
                var value = value
                value.round(toScale: 0)
                try value.finish()
                return value
            } float: {
                $0.rounded(.toNearestOrEven)
            }
        case ("floor", 1):
            return try rounded { (value) throws(CloisterError) in
                try value.integral(isUp: false)
            } float: {
                $0.rounded(.down)
            }
        case ("ceil", 1), ("ceiling", 1):
            return try rounded { (value) throws(CloisterError) in
                try value.integral(isUp: true)
            } float: {
                $0.rounded(.up)
            }
        case ("round", 2):
            guard let type = arguments[0].type, type != .float4, type != .float8 else { throw refusal() }
            var value = try numeric(0)
            let scale = min(max(try int4(1), -200_000), Numeric.maximumScale)
            guard value.isFinite else { return result(value) }
            value.round(toScale: scale)
            try value.finish()
            return result(value)
        default: return nil
        }
    }

    private func absolute() throws(CloisterError) -> TypedValue {
        switch arguments[0].type {
        case .int2, .int4, .int8:
            guard let bytes = arguments[0].bytes else { throw refusal() }
            if Conversion.integer(bytes) >= 0 { return arguments[0] }
            return try ConstantCall(name: "-", isOperator: true, arguments: arguments, settings: settings, now: now).operation()
        case .numeric:
            var value = try numeric(0)
            if value.sign == .minus { value.sign = .plus }
            if value.sign == .minusInfinity { value = .infinity }
            return result(value)
        case .float8: return result((try float8(0)).magnitude)
        case .float4: return result(.float4, Bytes.bigEndian(Float(bitPattern: Bytes.integer(try value(0, .float4))).magnitude.bitPattern))
        default: throw refusal()
        }
    }

    /// numeric stays numeric; integers and real become double precision, as PostgreSQL prefers it.
    private func rounded(
        _ decimal: (Numeric) throws(CloisterError) -> Numeric, float: (Double) -> Double
    ) throws(CloisterError) -> TypedValue {
        guard let type = arguments[0].type else { throw refusal() }
        guard type == .numeric else { return result(float(try float8(0))) }
        let value = try numeric(0)
        return result(value.isFinite ? try decimal(value) : value)
    }
}
