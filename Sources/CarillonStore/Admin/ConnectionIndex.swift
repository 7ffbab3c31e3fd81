package import CarillonDomain
import CarillonRedis

/// One open connection, as admin lists show it.
package struct ConnectionRecord: Sendable {
    package let user: UserKey
    package let podID: String
    /// Unique among all pods and their restarts.
    package let connectionID: String
    /// Milliseconds since 1970.
    package let connectedAt: UInt64
    package let transport: Transport

    package init(user: UserKey, podID: String, connectionID: String, connectedAt: UInt64, transport: Transport) {
        self.user = user
        self.podID = podID
        self.connectionID = connectionID
        self.connectedAt = connectedAt
        self.transport = transport
    }

    /// The field that stands for it in Redis: its id, and what it is where it is no WebSocket. Pods that know of WebSockets only
    /// take all of it for the id.
    fileprivate var field: String {
        transport == .webSocket ? connectionID : "\(connectionID) \(transport.rawValue)"
    }

    fileprivate init?(field: String, value: String, podID: String) {
        let words = field.split(separator: " ", maxSplits: 1)
        guard let id = words.first, let (time, user) = value.halves(at: " "), let time = UInt64(time),
            let user = UserKey(text: user)
        else { return nil }
        let transport = words.count == 2 ? Transport(rawValue: String(words[1])) : .webSocket
        guard let transport else { return nil }
        self.init(user: user, podID: podID, connectionID: String(id), connectedAt: time, transport: transport)
    }
}

/// Tells Redis which connections this pod holds, so that admin calls on other pods can list them too.
///
/// Changes are collected on the loop and leave twenty times a second as variadic commands: a fraction of a command per
/// connection. After a loss of the connection to Redis the list is made anew.
///
/// - Isolation: the event loop
/// - Source: Redis commands HSET, HDEL
package final class ConnectionIndex {
    private let redis: any Redis
    private let settings: StoreSettings
    /// Field → what it shall hold.
    private var added: [String: String] = [:]
    private var removed: [String] = []

    /// Connections of one command.
    private static let chunk = 512

    init(redis: any Redis, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    package func opened(_ connection: ConnectionRecord) {
        added[connection.field] = "\(connection.connectedAt) \(connection.user)"
    }

    package func closed(_ connection: ConnectionRecord) {
        if added.removeValue(forKey: connection.field) == nil { removed.append(connection.field) }
    }

    /// Forgets what Redis holds, whoever wrote it, and lists these.
    package func restart(with connections: [ConnectionRecord]) {
        added.removeAll()
        removed.removeAll()
        redis.send("DEL", arguments: 1, to: IgnoredReply.shared) { $0.key(Keys.clients(settings.podID)) }
        for connection in connections { opened(connection) }
        flush()
    }

    /// Tells Redis what was collected.
    package func flush() {
        // While Redis is away nothing is kept: the list is made anew when it is back.
        if redis.isReady {
            chunks(Array(added)) { rows in
                redis.send("HSET", arguments: 1 + rows.count * 2, to: IgnoredReply.shared) { arguments in
                    arguments.key(Keys.clients(settings.podID))
                    for (field, value) in rows {
                        arguments.bulk(field)
                        arguments.bulk(value)
                    }
                }
            }
            chunks(removed) { rows in
                redis.send("HDEL", arguments: 1 + rows.count, to: IgnoredReply.shared) { arguments in
                    arguments.key(Keys.clients(settings.podID))
                    for field in rows { arguments.bulk(field) }
                }
            }
        }
        added.removeAll(keepingCapacity: true)
        removed.removeAll(keepingCapacity: true)
    }

    private func chunks<Row>(_ rows: [Row], _ body: (ArraySlice<Row>) -> Void) {
        for start in stride(from: 0, to: rows.count, by: Self.chunk) {
            body(rows[start..<min(start + Self.chunk, rows.count)])
        }
    }
}

@available(*, unavailable)
extension ConnectionIndex: Sendable {}

extension AdminStore {
    /// The connections of other pods, as these have told Redis.
    package func connections(of pods: [String]) async throws(StoreError) -> [ConnectionRecord] {
        let replies = try await redis.tolerantReplies(pods.map { RedisCommand("HGETALL", .key(Keys.clients($0))) })
        var found: [ConnectionRecord] = []
        for (pod, reply) in zip(pods, replies) {
            let fields = reply.array ?? []
            for index in stride(from: 0, to: fields.count - 1, by: 2) {
                guard let field = fields[index].string, let value = fields[index + 1].string else { continue }
                if let record = ConnectionRecord(field: field, value: value, podID: pod) { found.append(record) }
            }
        }
        return found
    }
}
