/// What a fault excuses; everything else that is missing is a loss.
package enum Excuse: Sendable {
    case nothing
    /// Entries accepted or read within `duration` before the fault began may be gone (Redis killed under appendfsync
    /// everysec).
    case unsynced(Duration)
    /// What replicas had not confirmed may be gone: of what was written within this time before the fault began, and until it ended.
    /// Accepted posts are among it unless they were confirmed before they were accepted.
    case failedOver(Duration, isPostSafe: Bool)
    /// What was accepted before the fault's end may be gone: of these users (indexes), or of all (nil).
    case wiped(users: Set<Int>?)
}

/// A fault that the harness injects.
package struct FaultRecord: Sendable {
    /// The kind, such as `redis killed`.
    package let name: String
    /// What it hit, and how.
    package let detail: String
    package let excuse: Excuse

    package init(name: String, detail: String, excuse: Excuse) {
        self.name = name
        self.detail = detail
        self.excuse = excuse
    }
}
