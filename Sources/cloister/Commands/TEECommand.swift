internal import ArgumentParser
internal import Diagnostics

/// `cloister tee …`: becomes the sibling program cloister-tee.
struct TEECommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tee", abstract: "Run cloister-tee, the simulated TEE platform, with the arguments that follow.")
    @Argument(parsing: .captureForPassthrough, help: "cloister-tee's own arguments.") var arguments: [String] = []

    func run() throws {
        let program = try DevPrograms().tee
        throw CloisterError(.devMissing, "the program cannot be executed: \(Spawn.become([program] + arguments))", location: program)
    }
}
