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
    /// The highest number ever given. A pod that was forgotten begins behind it: numbers that begin again could go on just where
    /// its reader stopped, and hide what it missed.
    private var highestNumber: UInt64 = 0

    private struct Peer {
        var number: UInt64
        var lines = ByteBuffer()
        /// Redis did not take an entry, so the pod has to be told that it missed something.
        var missedEntry = false
    }

    package init(store: InboxStore, eventLoop: any EventLoop) {
        self.store = store
        self.eventLoop = eventLoop
    }

    package func send(_ message: BusMessage, to pods: [String]) {
        for pod in pods { BusFormat.write(message, into: &peers[pod, default: Peer(number: highestNumber)].lines) }
        guard !pods.isEmpty, !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute { self.flush() }
    }

    /// Has every pod that was spoken to, and these, read their users again.
    package func resync(_ pods: Set<String> = []) { send(.resync, to: Array(pods.union(peers.keys))) }

    /// Has those pods read their users again that missed an entry; called every second.
    package func repair() {
        guard store.isReady else { return }
        send(.resync, to: peers.filter { $1.missedEntry }.map(\.key))
    }

    /// Forgets a pod that is gone.
    package func forget(_ pod: String) { peers[pod] = nil }

    private func flush() {
        isFlushScheduled = false
        for pod in Array(peers.keys) {
            guard var peer = peers[pod], peer.lines.readableBytes > 0 else { continue }
            peer.number += 1
            highestNumber = max(highestNumber, peer.number)
            append(peer, to: pod)
            peer.lines.clear()
            peer.missedEntry = false
            peers[pod] = peer
        }
    }

    private func append(_ peer: Peer, to pod: String) {
        store.metrics.busEntriesSent.increment()
        store.addToBus(of: pod, lines: peer.lines, number: peer.number) { [self] result in
            switch result {
            // The bus is gone, and the pod with it; or it makes its bus anew, and reads its users again then.
            case .success(let reply) where reply.isNull: forget(pod)
            case .success: break
            case .failure: peers[pod]?.missedEntry = true
            }
        }
    }
}

@available(*, unavailable)
extension BusSender: Sendable {}
