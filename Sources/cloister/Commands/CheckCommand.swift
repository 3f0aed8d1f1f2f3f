internal import ArgumentParser
internal import CellFormat
internal import Configuration

/// `cloister check`: reads a configuration file and reports every mistake.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "check", abstract: "Read a configuration file and report every mistake.")

    @Option(name: .long, help: "The configuration file.")
    var config: String

    func run() throws {
        let read = try Configuration(contentsOf: config)
        let randomized = read.columns.count { $0.scheme == .randomized }
        say("\(config): valid; \(read.columns.count) columns marked (\(randomized) randomized) under \(read.keyNames.count) keys")
        guard let service = read.service else {
            say("\(config): columns only: fit for 'cloister dev', not for 'cloister proxy'")
            return
        }
        if service.enclave.measurements.isEmpty, randomized > 0 {
            say("\(config): enclave.measurements names no enclave: no key will be released, and randomized columns cannot be compared")
        }
    }
}
