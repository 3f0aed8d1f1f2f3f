internal import AdminConnection
internal import ArgumentParser
internal import Attestation
internal import Configuration
internal import Diagnostics

/// `cloister attest`: asks the enclave behind a server for a report and says what the configuration's policy makes of it.
struct AttestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attest",
        abstract: "Ask the enclave for a fresh report and check it against the configuration; releases no key.")
    @Option(name: .long, help: "The configuration file.") var config: String

    func run() throws {
        let (_, service) = try loadServiceConfiguration(config)
        let connection = try AdminConnection(AdminOptions(service))
        try KeyTables.check(connection)
        let session = try KeyRelease(service.enclave).attest(connection)
        let statement = session.report.statement
        say("measurement  \(statement.measurement)")
        say("version      \(statement.enclaveVersion)")
        say("platform     \(statement.platform)")
        say("memory       \(statement.region.name)")
        say("debug        \(statement.isDebug ? "yes" : "no")")
        let status = try KeyRelease.status(connection)
        say("keys held    \(status.keys.count) (as the enclave says; not authenticated)")
        say("accepted: a proxy with this configuration releases its keys to this enclave")
    }
}
