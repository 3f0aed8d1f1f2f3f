internal import CEnclaveRuntime
internal import EnclaveABI

/// Why the enclave did not start: a sentence with its code (schemas/errors.md).
struct StartFailure: Error {
    /// Starting again with the same options would end the same way: the platform does not try.
    static let configuration: Int32 = 78
    /// Something failed that may not fail next time.
    static let software: Int32 = 70

    let message: String
    var status = StartFailure.configuration
}

/// The command line. Two more options, `--region-mib` and `--allow-mlock`, were obeyed before the first allocation
/// (CEnclaveRuntime/region.c) and are only accepted here.
struct EnclaveOptions {
    var socket = ""
    var socketMode: UInt32 = 0o666
    var socketOwner: Int64 = -1
    var socketGroup: Int64 = -1
    var peer: Int64 = -1
    var maxSlots: UInt32 = 128
    var workers: UInt32 = 2
    var spin: UInt32 = 50
    /// Answers every request with DISABLED: the platform caught an earlier start of this enclave altered.
    var isDisabled = false

    static let usage = """
        usage: cloister-enclave --socket PATH [--socket-mode OCTAL] [--socket-uid N] [--socket-gid N] [--peer-uid N]
          [--max-slots N] [--workers N] [--spin-us N] [--region-mib N] [--allow-mlock] [--disabled]
        """

    init(_ arguments: [String]) throws {
        workers = UInt32(clamping: max(1, min(2, processorCount())))
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--allow-mlock" { continue }
            if name == "--disabled" {
                isDisabled = true
                continue
            }
            guard let value = rest.popFirst() else { throw StartFailure(message: "CL4102: \(name) needs a value\n\(Self.usage)") }
            switch name {
            case "--socket": socket = value
            case "--socket-mode": socketMode = UInt32(try Self.number(name, value, radix: 8, 0...0o777))
            case "--socket-uid": socketOwner = try Self.number(name, value, 0...0xffff_fffe)
            case "--socket-gid": socketGroup = try Self.number(name, value, 0...0xffff_fffe)
            case "--peer-uid": peer = try Self.number(name, value, 0...0xffff_fffe)
            case "--max-slots": maxSlots = UInt32(try Self.number(name, value, 1...Int64(CLOISTER_MAX_SLOTS)))
            case "--workers": workers = UInt32(try Self.number(name, value, 1...64))
            case "--spin-us": spin = UInt32(try Self.number(name, value, 0...10_000))
            case "--region-mib": break
            default: throw StartFailure(message: "CL4102: \(name) is not an option\n\(Self.usage)")
            }
        }
        guard !socket.isEmpty else { throw StartFailure(message: "CL4102: --socket is missing\n\(Self.usage)") }
    }

    private static func number(_ name: String, _ text: String, radix: Int = 10, _ range: ClosedRange<Int64>) throws -> Int64 {
        guard let value = Int64(text, radix: radix), range.contains(value) else {
            throw StartFailure(message: "CL4102: \(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
