internal import AdminConnection
internal import ArgumentParser
internal import CellFormat
internal import Configuration

/// `cloister check`: reads a configuration file and reports every mistake, and what it gives away.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read a configuration file and report every mistake, and choices that leak.")

    @Option(name: .long, help: "The configuration file.")
    var config: String

    @Flag(help: "Look at the data too: equal values of deterministic columns, indexes of randomized ones.")
    var database = false

    func run() throws {
        let read = try Configuration(contentsOf: config)
        let randomized = read.columns.count { $0.scheme == .randomized }
        say("\(config): valid; \(read.columns.count) columns marked (\(randomized) randomized) under \(read.keyNames.count) keys")
        for advice in LeakageAdvice.of(read) { say("advice: \(advice)") }
        guard let service = read.service else {
            if database { throw ValidationError("--database needs the sections proxy, keys and enclave") }
            say("\(config): columns only: fit for 'cloister dev', not for 'cloister proxy'")
            return
        }
        if service.enclave.measurements.isEmpty, randomized > 0 {
            say("\(config): enclave.measurements names no enclave: no key will be released, and randomized columns cannot be compared")
        }
        if database {
            let connection = try AdminConnection(AdminOptions(service))
            for advice in try LeakageAdvice.of(read.columns, connection) { say("advice: \(advice)") }
        }
    }
}
