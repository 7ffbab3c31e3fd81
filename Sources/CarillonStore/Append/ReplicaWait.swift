package import CarillonDomain
import CarillonRedis
import NIOCore

/// Has answers wait until replicas have what was written: one WAIT on each server for all that was to be confirmed since the last.
///
/// WAIT speaks of what its own connection wrote, and holds that connection up. So notifications are written over a connection of their
/// own, and there is never more than one WAIT on its way: what comes meanwhile is in the next.
///
/// - Isolation: the event loop
/// - Source: Redis command WAIT
final class ReplicaWait: RedisReceiver {
    private typealias Completion = (Bool) -> Void

    /// What one server is asked.
    private struct Batch {
        var asked: [Completion] = []
        var waiting: [Completion] = []
    }

    private let redis: any Redis
    private let replicas: Int
    private var batches: [Batch] = []
    private var places: [RedisNode: Int] = [:]
    private var isScheduled = false

    /// Milliseconds that replicas have.
    static let timeout = 1_000

    init(redis: any Redis, replicas: Int) {
        self.redis = redis
        self.replicas = replicas
    }

    /// Asks whether enough replicas have what was written to these keys.
    func confirm(_ keys: [RedisKey], completion: @escaping (Bool) -> Void) {
        let nodes = Set(keys.map { redis.node(of: $0) })
        var missing = nodes.count
        var isConfirmed = true
        for node in nodes {
            let answer: Completion = { isEnough in
                missing -= 1
                isConfirmed = isConfirmed && isEnough
                if missing == 0 { completion(isConfirmed) }
            }
            if let node { add(answer, to: node) } else { answer(false) }
        }
    }

    private func add(_ completion: @escaping Completion, to node: RedisNode) {
        if places[node] == nil {
            places[node] = batches.count
            batches.append(Batch())
        }
        batches[places[node]!].waiting.append(completion)
        guard !isScheduled else { return }
        isScheduled = true
        redis.eventLoop.assumeIsolated().execute {
            self.isScheduled = false
            self.ask()
        }
    }

    /// Asks the servers that have answered the last time.
    private func ask() {
        for (node, place) in places where batches[place].asked.isEmpty && !batches[place].waiting.isEmpty {
            batches[place] = Batch(asked: batches[place].waiting)
            let wait = RedisCommand("WAIT", .integer(replicas), .integer(Self.timeout))
            redis.send(wait, to: self, tag: place, node: node)
        }
    }

    func received(_ reply: RedisReply, tag: Int) { answered(tag, reply.integer ?? 0 >= Int64(replicas)) }

    func failed(_ error: RedisError, tag: Int) { answered(tag, false) }

    private func answered(_ place: Int, _ isEnough: Bool) {
        let completions = batches[place].asked
        batches[place].asked = []
        for completion in completions { completion(isEnough) }
        ask()
    }
}

extension InboxStore {
    /// Calls back once as many replicas as are wanted have these notifications; false where they do not in time.
    package func replicated(_ targets: [AppendTarget], completion: @escaping (Bool) -> Void) {
        guard let replicaWait else { return completion(true) }
        let keys = targets.flatMap { [Keys.payload($0.notificationID), Keys.stream($0.user.key)] }
        replicaWait.confirm(keys, completion: completion)
    }

    /// The same of a topic's notification.
    package func replicated(_ id: NotificationID, of topic: Topic, completion: @escaping (Bool) -> Void) {
        guard let replicaWait else { return completion(true) }
        replicaWait.confirm([Keys.payload(id), Keys.topic(topic)], completion: completion)
    }
}
