internal import Logging

/// Metadata keys of the proxy's log lines. Messages are static text; nothing of a row, parameter or key is ever logged.
enum LogKey: String {
    case address, code, connections, sessions
}

extension Logger {
    func info(_ message: StaticString, _ metadata: [LogKey: String] = [:]) {
        info("\(message)", metadata: Self.metadata(metadata))
    }

    func warning(_ message: StaticString, _ metadata: [LogKey: String] = [:]) {
        warning("\(message)", metadata: Self.metadata(metadata))
    }

    func debug(_ message: StaticString, _ metadata: [LogKey: String] = [:]) {
        debug("\(message)", metadata: Self.metadata(metadata))
    }

    private static func metadata(_ values: [LogKey: String]) -> Metadata {
        Metadata(uniqueKeysWithValues: values.map { ($0.key.rawValue, .string($0.value)) })
    }
}
