package import CarillonDomain
package import CarillonRedis

/// The names and signs of life of pods.
///
/// - Isolation: any task
/// - Source: Redis commands HSET, HGETALL, SET
package struct PodRegistry: Sendable {
    private let redis: RedisClient
    private let settings: StoreSettings

    /// The owner's key lives so long without a heartbeat.
    private static let ownerTTLSeconds = 30

    package init(redis: RedisClient, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    package var podID: String { settings.podID }

    /// What one heartbeat saw.
    package struct Observation: Sendable {
        /// Pod → what its field held.
        package let heartbeats: [String: String]
        /// This pod's own field was still there when it was written anew; if not, others have taken it for dead.
        package let knowsThisPod: Bool
        /// The run id of the process that owns this pod's name, where it is another.
        package let otherOwner: String?
    }

    /// Takes the pod's name; an older process of that name will notice and go.
    ///
    /// - Returns: Whether another process had the name: it crashed, or runs still.
    package func claim() async throws(StoreError) -> Bool {
        let owner = try await pipeline([
            RedisCommand(
                "SET",
                .key(Keys.podOwner(podID)),
                .text(settings.runID),
                .text("GET"),
                .text("EX"),
                .integer(Self.ownerTTLSeconds)
            )
        ])[0].string
        return owner != nil && owner != settings.runID
    }

    /// Says that this pod lives, and looks at who else does.
    package func beat() async throws(StoreError) -> Observation {
        let owner = Keys.podOwner(podID)
        let replies = try await pipeline([
            RedisCommand(
                "SET",
                .key(owner),
                .text(settings.runID),
                .text("NX"),
                .text("GET"),
                .text("EX"),
                .integer(Self.ownerTTLSeconds)
            ),
            RedisCommand("HGETALL", .key(Keys.heartbeats)),
        ])
        let holder = replies[0].string
        if let holder, holder != settings.runID {
            return Observation(heartbeats: [:], knowsThisPod: false, otherOwner: holder)
        }
        let wasThere = try await sayAlive()
        return Observation(heartbeats: replies[1].table, knowsThisPod: wasThere, otherOwner: nil)
    }

    /// Writes this pod's field.
    ///
    /// - Returns: Whether it was there. A look at the table beforehand would not tell: on a slow link others may take the pod for dead
    ///   between the look and the writing.
    func sayAlive() async throws(StoreError) -> Bool {
        try await pipeline([
            RedisCommand("EXPIRE", .key(Keys.podOwner(podID)), .integer(Self.ownerTTLSeconds)),
            RedisCommand(
                "HSET",
                .key(Keys.heartbeats),
                .text(podID),
                .text(String(Timestamp.nowMilliseconds() / 1_000))
            ),
        ])[1].integer == 0
    }

    /// Makes room for the table of heartbeats where a key of another type lies in its place; no pod would be seen while it does.
    package func removeForeignTable() async throws(StoreError) {
        let type = try await pipeline([RedisCommand("TYPE", .key(Keys.heartbeats))])[0].string
        if type != "hash" { _ = try await pipeline([RedisCommand("DEL", .key(Keys.heartbeats))]) }
    }

    /// Entries in this pod's bus behind `position`, as far as a thousand.
    package func busDepth(after position: StreamID) async throws(StoreError) -> Int {
        try await pipeline([
            RedisCommand(
                "XRANGE",
                .key(Keys.bus(podID)),
                .text("(\(position)"),
                .text("+"),
                .text("COUNT"),
                .integer(1_000)
            )
        ])[0].array?.count ?? 0
    }

    /// Pods that say that they live, with the second at which each said it last and the number of its connections.
    package func all() async throws(StoreError) -> [(pod: String, heartbeat: UInt64, connections: Int)] {
        let heartbeats = try await pipeline([RedisCommand("HGETALL", .key(Keys.heartbeats))])[0].table
        let pods = heartbeats.keys.sorted()
        let counts = try await redis.tolerantReplies(pods.map { RedisCommand("HLEN", .key(Keys.clients($0))) })
        return zip(pods, counts).map { pod, count in
            (pod, heartbeats[pod].flatMap { UInt64($0) } ?? 0, Int(count.integer ?? 0))
        }
    }

    /// Seconds of CPU that Redis has used, all its servers and the kernel for them; nil where one does not tell.
    ///
    /// - Source: Redis command INFO, section cpu
    package func redisCPUSeconds() async -> Double? {
        var sum = 0.0
        for node in await redis.nodes() {
            let reply = try? await redis.pipeline([RedisCommand("INFO", "cpu")], on: node)[0].string
            let lines = reply.map { $0.split { $0.isNewline } } ?? []
            for name in ["used_cpu_user:", "used_cpu_sys:"] {
                guard
                    let seconds = lines.first(where: { $0.hasPrefix(name) }).flatMap({
                        Double($0.dropFirst(name.count))
                    })
                else { return nil }
                sum += seconds
            }
        }
        return sum
    }

    /// Removes what a dead pod left behind.
    package func remove(_ pod: String) async throws(StoreError) {
        _ = try await pipeline([
            RedisCommand("HDEL", .key(Keys.heartbeats), .text(pod)),
            RedisCommand("DEL", .key(Keys.bus(pod))),
            RedisCommand("DEL", .key(Keys.clients(pod))),
            RedisCommand("DEL", .key(Keys.podOwner(pod))),
        ])
    }

    private func pipeline(_ commands: [RedisCommand]) async throws(StoreError) -> [RedisValue] {
        try await redis.replies(commands)
    }
}

extension RedisClient {
    /// A pipeline whose error replies are thrown, the first one first.
    func replies(_ commands: [RedisCommand], on node: RedisNode? = nil) async throws(StoreError) -> [RedisValue] {
        let values: [RedisValue]
        do throws(RedisError) {
            values = try await pipeline(commands, on: node)
        } catch {
            throw StoreError(error)
        }
        for case .error(let message) in values { throw StoreError(refused: message) }
        return values
    }
}

extension RedisClient {
    /// A pipeline over keys of several users: a key of the wrong type is its user's trouble alone and reads as missing.
    func tolerantReplies(_ commands: [RedisCommand]) async throws(StoreError) -> [RedisValue] {
        do throws(RedisError) {
            return try await pipeline(commands).map { if case .error = $0 { .null } else { $0 } }
        } catch {
            throw StoreError(error)
        }
    }
}

extension RedisClient {
    /// Milliseconds since 1970 by Redis's clock.
    ///
    /// - Source: Redis command TIME
    func milliseconds() async throws(StoreError) -> UInt64 {
        let parts = try await replies([RedisCommand("TIME")])[0].array ?? []
        guard parts.count == 2, let seconds = parts[0].string.flatMap(UInt64.init),
            let microseconds = parts[1].string.flatMap(UInt64.init)
        else { throw StoreError(refused: "unexpected reply to TIME") }
        return seconds * 1_000 + microseconds / 1_000
    }
}

extension RedisArgument {
    static func integer(_ number: Int) -> RedisArgument { .integer(Int64(number)) }
}

extension RedisValue {
    /// The fields of HGETALL, XINFO and their kin, each with what stands behind it.
    var fields: [(name: String, value: RedisValue)] {
        let elements = array ?? []
        return stride(from: 0, to: elements.count - 1, by: 2).map { (elements[$0].string ?? "", elements[$0 + 1]) }
    }

    /// The same for values that are texts.
    var table: [String: String] {
        Dictionary(fields.map { ($0.name, $0.value.string ?? "") }) { $1 }
    }

    /// The entries of XRANGE and its kin.
    var streamEntries: [StoredEntry] {
        (array ?? []).compactMap { row in
            guard let row = row.array, row.count == 2, let id = row[0].string.flatMap({ StreamID($0) }) else {
                return nil
            }
            let fields = row[1].array ?? []
            let place = stride(from: 0, to: fields.count - 1, by: 2).first { fields[$0].string == "nid" }
            return StoredEntry(id: id, notificationID: place.flatMap { fields[$0 + 1].string }.map(NotificationID.init))
        }
    }
}
