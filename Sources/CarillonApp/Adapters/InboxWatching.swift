import CarillonDomain
import CarillonRealtime
import NIOCore

/// A watch over a user's inbox, for async callers.
///
/// - Isolation: any task; each call hops to the loop and back
struct InboxWatcher: Sendable {
    fileprivate let eventLoop: any EventLoop
    fileprivate let watch: NIOLoopBound<InboxWatch>

    /// Returns true when something has happened to the inbox since the watch began, or since the last call returned true. False when
    /// the deadline has passed, the pod is stopping, or the task is cancelled: then there is nothing more to wait for.
    ///
    /// What has happened may leave the caller's answer as it was; then it asks again.
    func changes(before deadline: ContinuousClock.Instant) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                eventLoop.execute {
                    let time = TimeAmount(max(.zero, deadline - .now))
                    watch.value.next(within: time) { continuation.resume(returning: $0) }
                }
            }
        } onCancel: {
            end()
        }
    }

    fileprivate func end() { eventLoop.execute { watch.value.end() } }
}

extension PodHandle {
    /// Runs `body` with a watch over the user's inbox that begins before and ends with it. So nothing is missed between what `body`
    /// reads and what it then waits for:
    ///
    ///     try await pod.watching(user) { watcher in
    ///         var answer = try await read()
    ///         while answer == known, await watcher.changes(before: deadline) { answer = try await read() }
    ///         return answer
    ///     }
    ///
    /// - Throws: What `body` throws, and 503 where `Limits.inboxWatches` wait already.
    func watching<Value>(
        _ user: UserKey,
        _ body: (InboxWatcher) async throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        let watch = await run { pod in pod.hub.watch(user).map { NIOLoopBound($0, eventLoop: pod.eventLoop) } }
        guard let watch else { throw .tooManyWait }
        let watcher = InboxWatcher(eventLoop: eventLoop, watch: watch)
        defer { watcher.end() }
        return try await body(watcher)
    }
}

extension Problem {
    fileprivate static let tooManyWait = Problem(
        status: 503,
        code: "too_many_wait",
        title: "Service Unavailable",
        detail: "too many requests wait for news on this pod; ask without waiting, or later",
        retryAfterSeconds: 5
    )
}
