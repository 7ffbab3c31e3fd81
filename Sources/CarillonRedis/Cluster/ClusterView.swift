/// How one node sees its cluster.
///
/// - Source: Redis command CLUSTER NODES, which old and new versions and Valkey have, and which tells epochs
struct ClusterView {
    struct Primary: Equatable {
        let node: RedisNode
        let endpoint: RedisConfiguration.Endpoint
        /// Of two nodes that both claim a slot, the one with the higher epoch has it.
        let epoch: Int64
        let slots: [ClosedRange<UInt16>]
    }

    /// Those that serve slots.
    let primaries: [Primary]

    /// - Parameters:
    ///   - text: One line for each node: id, address, flags, its primary, ping, pong, epoch, state of the link, slots.
    ///   - host: Where the node was asked, which need not know its own address.
    ///   - prefersNames: Takes a node's name rather than its address where it tells one: certificates are made out to names.
    init(_ text: String, askedAt host: String, prefersNames: Bool) {
        primaries = text.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 8, let epoch = Int64(fields[6]) else { return nil }
            let flags = fields[2].split(separator: ",")
            guard flags.contains("master"), !flags.contains("handshake"), !flags.contains("noaddr") else { return nil }
            guard let endpoint = Self.endpoint(fields[1], host, prefersNames) else { return nil }
            let slots = fields[8...].compactMap(Self.slots)
            guard !slots.isEmpty else { return nil }
            return Primary(node: RedisNode(id: fields[0]), endpoint: endpoint, epoch: epoch, slots: slots)
        }
    }

    /// `10.0.0.1:6379@16379,redis-1,shard-id=…`: the bus's port and all behind the address may be missing.
    private static func endpoint(
        _ text: Substring,
        _ host: String,
        _ prefersNames: Bool
    ) -> RedisConfiguration.Endpoint? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let name = parts.dropFirst().first.map(String.init) ?? ""
        guard case .tcp(let address, let port)? = endpoint(parts[0].prefix { $0 != "@" }, askedAt: host) else {
            return nil
        }
        return .tcp(host: prefersNames && !name.isEmpty ? name : address, port: port)
    }

    /// `10.0.0.1:6379`, `::1:6379`, or `:6379` for the host that was asked.
    static func endpoint(_ text: Substring, askedAt host: String) -> RedisConfiguration.Endpoint? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        let address = text[..<colon]
        return .tcp(host: address.isEmpty || address == "?" ? host : String(address), port: port)
    }

    /// `0-5460` or `5461`; nil for one that is on its way: `[93-<-…]`.
    private static func slots(_ text: Substring) -> ClosedRange<UInt16>? {
        let bounds = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { UInt16($0) }
        guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, first <= last, last < HashSlot.count
        else {
            return nil
        }
        return first...last
    }
}
