import CarillonDomain
import CarillonMetrics
import CarillonRealtime
import CarillonStore
import CarillonWorkers
import NIOCore

/// The way into the pod's event loop for workers and admin calls.
///
/// - Isolation: any task; each call hops to the loop and back
struct PodHandle: Sendable {
    let eventLoop: any EventLoop
    private let pod: NIOLoopBound<Pod>

    init(_ pod: Pod) {
        eventLoop = pod.eventLoop
        self.pod = NIOLoopBound(pod, eventLoop: pod.eventLoop)
    }

    /// The pod itself, for those who are on the loop already.
    var loopValue: Pod { pod.value }

    /// Runs `body` on the loop.
    func run<Value: Sendable>(_ body: @escaping @Sendable (Pod) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: body(pod.value)) }
        }
    }
}

extension PodHandle {
    /// Runs `body` on the loop and waits until it calls back.
    func ask<Value: Sendable>(_ body: @escaping @Sendable (Pod, @escaping (Value) -> Void) -> Void) async -> Value {
        await withCheckedContinuation { continuation in
            eventLoop.execute { body(loopValue) { continuation.resume(returning: $0) } }
        }
    }
}

extension PodHandle: ClearingListener {
    func cleared(_ entries: [EntryReference], of user: UserKey) async {
        await run { pod in
            for entry in entries { pod.hub.cleared(entry, of: user) }
        }
    }
}

extension PodHandle: SnoozeListener {
    func snoozeEnded(_ snooze: UserEntry) async {
        await run { $0.hub.changed(InboxChange(.unsnooze, [snooze.entry], of: snooze.topic), of: snooze.user) }
    }
}

extension PodHandle: PodListener {
    func podsSeen(_ others: Set<String>, age: Duration) async {
        await run { pod in
            pod.heartbeat(succeeded: true)
            pod.pods.update(others: others, asOf: .now() - TimeAmount(age))
        }
    }

    func podsDied(_ pods: [String]) async {
        await run { pod in
            for dead in pods { pod.hub.podDied(dead) }
        }
    }

    func mustCatchUp() async {
        await run { $0.catchUp() }
    }

    func hasJoined(replacesProcess: Bool) async {
        await run { $0.hub.announce(replacesProcess: replacesProcess) }
    }

    func heartbeatFailed() async {
        await run { $0.heartbeat(succeeded: false) }
    }
}
