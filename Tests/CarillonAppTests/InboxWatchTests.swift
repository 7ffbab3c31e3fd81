import CarillonDomain
import CarillonMetrics
import CarillonRealtime
import CarillonStore
import CarillonTestSupport
import NIOCore
import Synchronization
import Testing

@testable import CarillonApp

/// Waiting for something to happen to a user's inbox.
@Suite("Inbox watches", .serialized)
struct InboxWatchTests {
    private static let last = Atomic<Int64>(1_000)

    private let user = User(id: .number(Self.last.add(1, ordering: .relaxed).newValue), login: "alice")
    private static let entry = EntryReference(
        streamID: StreamID(milliseconds: 1, sequence: 0),
        notificationID: NotificationID("n")
    )

    private var soon: ContinuousClock.Instant { .now + .seconds(10) }

    /// Does something while a watch waits. - Returns: what the watch says.
    private func watch(_ link: PodLink, during body: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        let deadline = soon
        return try await link.pod.watching(user.key) { watcher in
            async let hasChanged = watcher.changes(before: deadline)
            try? await body()
            return await hasChanged
        }
    }

    private func expectChange(_ link: PodLink, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let isTold = try await watch(link, during: body)
        #expect(isTold)
    }

    @Test("told of a push on this pod and on another one, of reads and of clearings")
    func told() async throws {
        try await PodLink.with(2) { links in
            let (here, there) = (links[0], links[1])
            let user = user
            try await expectChange(here) { try await here.notify(user) }
            try await expectChange(here) { try await there.notify(user) }
            try await expectChange(here) { await here.pod.run { $0.hub.received(.read(user.key, Self.entry)) } }
            try await expectChange(here) { await here.pod.cleared([Self.entry], of: user.key) }
            try await expectChange(here) { await there.pod.cleared([Self.entry], of: user.key) }
        }
    }

    @Test("told when the pod may have missed something")
    func recovery() async throws {
        try await PodLink.with { links in
            let link = links[0]
            try await expectChange(link) { await link.pod.run { $0.hub.missedMessages() } }
            try await expectChange(link) { try await link.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") }
            try await expectChange(link) { await link.pod.podsDied(["other"]) }
        }
    }

    /// What came between a look and the question is remembered, and another pod's sender finds the watch from its beginning.
    @Test("nothing is missed between a look and the wait for more")
    func noGap() async throws {
        try await PodLink.with(2) { links in
            let user = user
            for round in 0..<60 {
                async let posted: Void = links[round % 2].notify(user)
                let deadline = soon
                let isSeen = try await links[0].pod.watching(user.key) { watcher in
                    while true {
                        let count = (try? await links[0].entries(of: user)) ?? 0
                        if count > round { return true }
                        guard await watcher.changes(before: deadline) else { return false }
                    }
                }
                #expect(isSeen, "round \(round)")
                try await posted
                try await links[1].redis("XTRIM", "stream:user:\(user.key.text)", "MAXLEN", "\(round + 1)")
            }
        }
    }

    @Test("remembers one change for the next question, and no more than that")
    func remembers() async throws {
        try await PodLink.with { links in
            let user = user
            let answers = try await links[0].pod.watching(user.key) { watcher in
                for _ in 0..<3 { try? await links[0].notify(user) }
                let first = await watcher.changes(before: .now)
                return [first, await watcher.changes(before: .now + .milliseconds(50))]
            }
            #expect(answers == [true, false])
        }
    }

    @Test("another user's news, and time that passes, are no change")
    func quiet() async throws {
        try await PodLink.with { links in
            let other = User(id: .number(1), login: "other")
            let hasChanged = try await links[0].pod.watching(user.key) { watcher in
                try? await links[0].notify(other)
                return await watcher.changes(before: .now + .milliseconds(50))
            }
            #expect(!hasChanged)
        }
    }

    @Test("no device: in presence while it waits, in no list and no gauge")
    func presence() async throws {
        try await PodLink.with { links in
            let (link, key) = (links[0], "notif:conn:\(user.key.text)")
            try await link.pod.watching(user.key) { watcher in
                let isPresent: Void? = try? await wait(until: "presence is written") {
                    try await link.redis("EXISTS", key) == .integer(1)
                }
                #expect(isPresent != nil)
                #expect(await link.pod.run { $0.hub.connections.isEmpty })
                #expect(link.metrics.exposition().contains("websocket_connections 0\n"))
            }
            try await wait(until: "presence and lock go") {
                try await link.redis("EXISTS", key, "notif:lock:consumer:\(user.key.text)") == .integer(0)
            }
            #expect(await link.pod.run { $0.hub.isEmpty })
        }
    }

    @Test("whoever goes away waits no longer")
    func cancelled() async throws {
        try await PodLink.with { links in
            let (pod, user) = (links[0].pod, user)
            let waiting = Task {
                try await pod.watching(user.key) { await $0.changes(before: .now + .seconds(100)) }
            }
            try await wait(until: "it waits") { await pod.run { !$0.hub.isEmpty } }
            waiting.cancel()
            let hasChanged = try await waiting.value
            #expect(!hasChanged)
            #expect(await pod.run { $0.hub.isEmpty })
        }
    }

    @Test("a stopping pod keeps nobody waiting, and takes nobody who would")
    func draining() async throws {
        try await PodLink.with { links in
            let pod = links[0].pod
            let isTold = try await watch(links[0]) { await pod.run { $0.stop(over: .zero) } }
            #expect(!isTold)
            let hasChanged = try await pod.watching(user.key) { await $0.changes(before: .now + .seconds(100)) }
            #expect(!hasChanged)
            #expect(await pod.run { $0.hub.isEmpty })
        }
    }

    @Test("so many may wait, and not one more")
    func bound() async throws {
        try await PodLink.with { links in
            let (pod, user) = (links[0].pod, user)
            let watches = await pod.run { pod in
                NIOLoopBoundBox(
                    (0..<Limits.inboxWatches - 1).compactMap { _ in pod.hub.watch(user.key) },
                    eventLoop: pod.eventLoop
                )
            }
            #expect(await pod.run { _ in watches.value.count } == Limits.inboxWatches - 1)
            _ = try await pod.watching(user.key) { _ in
                await #expect(throws: Problem.self) { try await pod.watching(user.key) { _ in } }
            }
            // All of them hear of one push.
            let heard = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: pod.eventLoop)
            await pod.run { _ in
                for watch in watches.value {
                    watch.next(within: .seconds(10)) { if $0 { heard.value += 1 } }
                }
            }
            try await links[0].notify(user)
            #expect(await pod.run { _ in heard.value } == Limits.inboxWatches - 1)
            await pod.run { _ in watches.value.forEach { $0.end() } }
            #expect(await pod.run { $0.hub.isEmpty })
        }
    }
}
