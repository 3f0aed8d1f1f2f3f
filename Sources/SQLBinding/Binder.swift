internal import Diagnostics

/// Binds statements; holds the plan cache. One per process, shared by all sessions.
package final class Binder: Sendable {
    /// `planCacheCapacity`: how many templates are remembered.
    package init(planCacheCapacity: Int = 4096) {}

    package func bind(_ sql: [UInt8], context: BindContext) -> BindOutcome { .refused(CloisterError(ErrorCode("CL6001", sqlState: "0A000"), "not yet"), statementOffset: nil) }
}
