package import NIOCore

// Which server serves which slot, and whether all of them can be used.

extension RedisCluster {
    private static let interval = TimeAmount.seconds(1)
    private static let intervalInTrouble = TimeAmount.milliseconds(200)
    /// How long a server without slots is kept.
    private static let patience = TimeAmount.seconds(1)
    /// The same after another one had sent something there: slots are on their way to it.
    static let patienceWithImports = TimeAmount.seconds(10)

    package var nodes: [RedisNode] { sortedOwners.compactMap(\.node) }

    package func node(of key: RedisKey) -> RedisNode? { owners[Int(HashSlot.of(key))]?.node }

    /// The servers with slots that the map knows by name.
    var sortedOwners: [ClusterNode] {
        known.values.filter { $0.slotCount > 0 && $0.node != nil }.sorted { $0.node! < $1.node! }
    }

    package func start() {
        eventLoop.assertInEventLoop()
        for seed in seeds { _ = node(at: seed) }
        nodeChanged(nil)
        let cluster = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
            cluster.value.askForMap()
        }
    }

    package func close(immediately: Bool) -> EventLoopFuture<Void> {
        isClosed = true
        timer?.cancel()
        let closed = known.values.map { $0.close(immediately: immediately) }
        return .andAllSucceed(closed, on: eventLoop)
    }

    /// Says where a key is served, for a connection that blocks.
    package func locator(of key: RedisKey) -> any RedisLocator {
        let locator = ClusterKeyLocator(HashSlot.of(key), of: self)
        locators.append(locator)
        return locator
    }

    /// The server at an endpoint, which may be a new one.
    func node(at endpoint: RedisConfiguration.Endpoint) -> ClusterNode {
        if let node = known[endpoint] { return node }
        let node = ClusterNode(endpoint, of: self, configuration)
        known[endpoint] = node
        node.start(logger: logger)
        return node
    }

    func setOwner(of slot: Int, _ node: ClusterNode) {
        if let owner = owners[slot] { owner.slotCount -= 1 } else { unownedSlots -= 1 }
        owners[slot] = node
        node.slotCount += 1
    }

    // MARK: - Learning

    /// Asks the next node that can be asked.
    func askForMap() {
        guard !isAsking, !isClosed else { return }
        let ready = known.values.filter { $0.state == .ready }.sorted { "\($0.endpoint)" < "\($1.endpoint)" }
        guard !ready.isEmpty else {
            for seed in seeds { _ = node(at: seed) }
            return
        }
        isAsking = true
        askedLast += 1
        let asked = ready[askedLast % ready.count]
        asked.askForMap { [self] text in
            guard !isClosed, case .tcp(let host, _) = asked.endpoint else { return }
            learn(ClusterView(text, askedAt: host, prefersNames: configuration.tls != nil))
        }
        // One that does not answer must not keep the others from being asked.
        eventLoop.assumeIsolated().scheduleTask(in: Self.intervalInTrouble) {
            self.isAsking = false
            if !self.isWhole { self.askForMap() }
        }
    }

    private func learn(_ view: ClusterView) {
        // Where everybody who is known is gone, this is another cluster, whose epochs have begun anew.
        if !known.values.contains(where: { $0.slotCount > 0 && $0.state != .lost }) {
            epochs = Array(repeating: -1, count: HashSlot.count)
        }
        for primary in view.primaries {
            let node = node(at: primary.endpoint)
            node.node = primary.node
            for slot in primary.slots.joined().map({ Int($0) }) where primary.epoch >= epochs[slot] {
                epochs[slot] = primary.epoch
                if owners[slot] !== node { setOwner(of: slot, node) }
            }
        }
        guard unownedSlots == 0 else { return nodeChanged(nil) }
        retireNodes()
        nodeChanged(nil)
        for locator in locators { locator.check() }
    }

    /// Lets go of servers that were replaced, or were there only to be asked. What they have not answered by then, such as one that
    /// stands still, they will not answer.
    private func retireNodes() {
        let now = NIODeadline.now()
        for (endpoint, node) in known {
            if node.slotCount > 0 {
                node.retiresAt = nil
            } else if let end = node.retiresAt {
                guard now >= end else { continue }
                known[endpoint] = nil
                _ = node.close(immediately: true)
            } else {
                node.retiresAt = now + Self.patience
            }
        }
    }

    // MARK: - Whether all can be used

    /// A server came, went, or has other slots.
    func nodeChanged(_ error: RedisError?) {
        let owners = known.values.filter { $0.slotCount > 0 }
        let lost = owners.first { $0.state == .lost }
        let isWhole = unownedSlots == 0 && lost == nil && (wasEverWhole || owners.allSatisfy { $0.state == .ready })
        isReady = unownedSlots == 0 && owners.contains { $0.state == .ready }
        lastFailure =
            isWhole
            ? nil
            : error ?? lost?.lastFailure ?? RedisError(.unavailable, detail: "\(unownedSlots) slots are not served")
        if isWhole != self.isWhole {
            self.isWhole = isWhole
            if isWhole {
                let isFirst = !wasEverWhole
                wasEverWhole = true
                observer?.connected(isFirst: isFirst)
            } else {
                observer?.disconnected(lastFailure ?? RedisError(.unavailable))
            }
        }
        if !isWhole || error != nil { askForMap() }
    }
}

/// Follows one key through its cluster.
///
/// - Isolation: the event loop
final class ClusterKeyLocator: RedisLocator {
    private let slot: UInt16
    private unowned let cluster: RedisCluster
    private weak var connection: RedisConnection?
    private var told: RedisConfiguration.Endpoint?

    init(_ slot: UInt16, of cluster: RedisCluster) {
        self.slot = slot
        self.cluster = cluster
    }

    var endpoint: RedisConfiguration.Endpoint? { cluster.owners[Int(slot)]?.endpoint }

    func add(_ connection: RedisConnection) { self.connection = connection }

    func check() {
        guard endpoint != told else { return }
        told = endpoint
        connection?.endpointChanged()
    }
}
