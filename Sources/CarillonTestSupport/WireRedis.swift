/// What Redis answered.
package enum WireReply: Hashable, Sendable {
    case null
    case integer(Int)
    case text(String)
    case array([WireReply])

    package var string: String? {
        if case .text(let text) = self { text } else { nil }
    }

    package var int: Int? {
        switch self {
        case .integer(let value): value
        case .text(let text): Int(text)
        default: nil
        }
    }

    package var array: [WireReply] {
        if case .array(let elements) = self { elements } else { [] }
    }

    package var strings: [String] { array.compactMap(\.string) }

    /// An array of names and values, as HGETALL and XINFO give it.
    package var pairs: [String: WireReply] {
        var pairs: [String: WireReply] = [:]
        let elements = array
        for index in stride(from: 0, to: elements.count - 1, by: 2) {
            if let name = elements[index].string { pairs[name] = elements[index + 1] }
        }
        return pairs
    }
}

/// A client of its own for Redis, so that tests look at keys, and write them, as any other program would. It goes where the nodes of
/// a cluster send it.
///
/// - Isolation: the task that made it
package final class WireRedis {
    private let stream: WireStream
    private var others: [Int: WireRedis] = [:]

    package init(port: Int) throws { stream = try WireStream(port: port) }

    /// - Throws: `WireError.unexpected` for an error reply.
    @discardableResult
    package func callAsFunction(_ arguments: [String]) async throws -> WireReply {
        do {
            return try await send(arguments)
        } catch WireError.unexpected(let text) {
            guard let match = text.prefixMatch(of: /Redis: MOVED \d+ [^ ]*:(\d+)/), let port = Int(match.1) else {
                throw WireError.unexpected(text)
            }
            return try await node(port)(arguments)
        }
    }

    /// Every node of the cluster; this one alone where there is none.
    package func everyNode() async throws -> [WireRedis] {
        guard let lines = try? await self(["CLUSTER", "NODES"]).string else { return [self] }
        return try lines.split(whereSeparator: \.isNewline).filter { $0.contains("master") }.map { line in
            if line.contains("myself") { return self }
            let address = line.split(separator: " ")[1].prefix { $0 != "@" }
            return try node(address.split(separator: ":").last.flatMap { Int($0) } ?? 0)
        }
    }

    /// The key that has a user, of those that are spread in a cluster.
    package func spread(_ key: String, over user: String) async throws -> String {
        guard TestTopology.current == .cluster else { return key }
        let slot = try await self(["CLUSTER", "KEYSLOT", user]).int ?? 0
        return "\(key):\(slot % 16)"
    }

    private func node(_ port: Int) throws -> WireRedis {
        let node = try others[port] ?? WireRedis(port: port)
        others[port] = node
        return node
    }

    private func send(_ arguments: [String]) async throws -> WireReply {
        var command = "*\(arguments.count)\r\n"
        for argument in arguments { command += "$\(argument.utf8.count)\r\n\(argument)\r\n" }
        try await stream.send(Array(command.utf8))
        return try await answer(by: ContinuousClock.now + .seconds(10))
    }

    private func answer(by deadline: ContinuousClock.Instant) async throws -> WireReply {
        let line = try await stream.line(by: deadline, "a reply of Redis")
        let rest = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line.first {
        case UInt8(ascii: "+"): return .text(rest)
        case UInt8(ascii: ":"): return .integer(Int(rest) ?? 0)
        case UInt8(ascii: "-"): throw WireError.unexpected("Redis: \(rest)")
        case UInt8(ascii: "$"):
            guard let count = Int(rest), count >= 0 else { return .null }
            let bytes = try await stream.exactly(count + 2, by: deadline, "a bulk string")
            return .text(String(decoding: bytes.dropLast(2), as: UTF8.self))
        case UInt8(ascii: "*"):
            guard let count = Int(rest), count >= 0 else { return .null }
            var elements: [WireReply] = []
            for _ in 0..<count { elements.append(try await answer(by: deadline)) }
            return .array(elements)
        default: throw WireError.unexpected("reply of Redis")
        }
    }
}

@available(*, unavailable)
extension WireRedis: Sendable {}

extension WireRedis {
    /// How often each command was carried out since the start, those within scripts included; by name, in lower case.
    ///
    /// - Source: Redis command INFO, section commandstats
    package func calls() async throws -> [String: Int] {
        var calls: [String: Int] = [:]
        let nodes = TestTopology.current == .cluster ? try await everyNode() : [self]
        for node in nodes {
            for line in try await node(["INFO", "commandstats"]).string?.split(whereSeparator: \.isNewline) ?? [] {
                guard let match = line.prefixMatch(of: /cmdstat_([^:]+):calls=(\d+),/) else { continue }
                calls[String(match.1), default: 0] += Int(match.2) ?? 0
            }
        }
        // What it takes to find the nodes, here and in the hub, is nobody's work.
        calls["cluster|nodes"] = nil
        return calls
    }
}

extension RedisProcess {
    /// Waits until replicas have all that was written here so far. (`WAIT` would speak of what its own connection wrote.)
    package func isReplicated(to replicas: [RedisProcess]) async throws {
        let written = try await offset()
        try await wait(until: "the replicas have it", within: .seconds(20)) {
            for replica in replicas where try await replica.offset() < written { return false }
            return true
        }
    }

    private func offset() async throws -> Int {
        let info = try await WireRedis(port: port)(["INFO", "replication"]).string ?? ""
        return info.firstMatch(of: /master_repl_offset:(\d+)/).flatMap { Int($0.1) } ?? -1
    }
}
