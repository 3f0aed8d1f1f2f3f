/// The command `cloister`: arguments, output, and the joining of the parts; it knows no session machine and no raw key bytes.
internal import AdminConnection
internal import ArgumentParser
internal import Configuration
internal import Diagnostics
internal import Foundation

extension ErrorCode {
    /// The limit on core files could not be lowered.
    static let coreFiles = ErrorCode("CL1055", sqlState: "58000")
}

@main
struct Cloister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloister",
        abstract: "Always Encrypted columns for PostgreSQL: the proxy, its keys, and a private stack to develop with.",
        subcommands: [
            ProxyCommand.self, KeysCommand.self, ColumnsCommand.self, AttestCommand.self, CheckCommand.self, ExplainCommand.self,
            DevCommand.self, TEECommand.self,
        ])

    static func main() async {
        do {
            guard CoreFiles.forbid() else {
                throw CloisterError(.coreFiles, "core files can't be forbidden, and this process would leave keys in them")
            }
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let errors as ConfigurationErrors {
            complain(errors.problems)
        } catch let error as CloisterError {
            complain([error])
        } catch let failure as AdminFailure {
            complain([failure.error])
        } catch {
            exit(withError: error)
        }
    }

    /// One line per mistake on standard error, then exit 1.
    static func complain(_ problems: [CloisterError]) -> Never {
        for problem in problems { FileHandle.standardError.write(Data("cloister: \(problem)\n".utf8)) }
        Foundation.exit(1)
    }
}

/// Standard output, unbuffered: `cloister dev` is watched by people and by scripts.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
