internal import Configuration
internal import Diagnostics
internal import Foundation

/// The keys of a stack.
struct DevKeys {
    init(folder: DevFolder, cluster: DevCluster, state: DevState) throws {}
    func makeMissing(_ columns: [ColumnDeclaration]) throws -> Bool { false }
    func released(for columns: [ColumnDeclaration]) throws -> () -> Bool { { true } }
}
