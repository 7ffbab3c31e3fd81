import CarillonDomain
import CarillonMetrics
import CarillonRedis
package import NIOCore

/// Tells other pods what concerns their users: one XADD per pod and tick, with everything there is to say.
///
/// Entries carry the sender's run id and a number; a reader that misses one reads its users again. After a loss of the
/// connection the fate of what was sent is unknown, so every pod that was ever spoken to is told to do so.
///
/// - Isolation: the event loop
package final class BusSender {
    private let store: InboxStore
    private let eventLoop: any EventLoop
    private var peers: [String: Peer] = [:]
    private var isFlushScheduled = false

    private struct Peer {
        var number: UInt64 = 0
        var lines = ByteBuffer()
    }

    package init(store: InboxStore, eventLoop: any EventLoop) {
        self.store = store
        self.eventLoop = eventLoop
    }

    package func send(_ message: BusMessage, to pods: [String]) {
        for pod in pods { BusFormat.write(message, into: &peers[pod, default: Peer()].lines) }
        guard !pods.isEmpty, !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute { self.flush() }
    }

    /// Has every pod that was spoken to read its users again.
    package func resync() { send(.resync, to: Array(peers.keys)) }

    /// Forgets a pod that is gone.
    package func forget(_ pod: String) { peers[pod] = nil }

    private func flush() {
        isFlushScheduled = false
        for pod in Array(peers.keys) {
            guard var peer = peers[pod], peer.lines.readableBytes > 0 else { continue }
            peer.number += 1
            append(peer, to: pod)
            peer.lines.clear()
            peers[pod] = peer
        }
    }

    private func append(_ peer: Peer, to pod: String) {
        store.metrics.busEntriesSent.increment()
        store.addToBus(of: pod, lines: peer.lines, number: peer.number) { [self] result in
            // Nil: the bus is gone, and the pod with it.
            if case .success(let reply) = result, reply.isNull { forget(pod) }
        }
    }
}

@available(*, unavailable)
extension BusSender: Sendable {}
