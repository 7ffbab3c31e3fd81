package import NIOCore

/// What all sockets of an event loop share: settings, one timer, and the list of those with something to write.
///
/// One timer a second serves all sockets. It walks the `watched` ones (in a handshake, in a flood, closing), which are
/// few, and one slot of the wheel, which are those whose ping is due. The wheel has a slot for each second between two
/// pings, and sockets are dealt to its slots in turn rather than by the second in which they connect: after a reconnect
/// storm of 10,000 each second pings 400 of them, not one second all. The first ping may therefore come sooner than one
/// interval after the upgrade, never later.
/// - Isolation: event loop
package final class ConnectionGroup {
    /// A socket's place in the wheel, so that it can be taken out without a search.
    struct Place {
        var slot: Int32
        var index: Int32

        static let none = Place(slot: -1, index: -1)
    }

    package let eventLoop: any EventLoop
    package let settings: ConnectionSettings
    /// Sockets between the answer to their request and their end.
    package private(set) var connectionCount = 0
    let observer: (any ConnectionObserver)?
    /// Seconds since the start, as the timer counts them.
    private(set) var second: UInt32 = 0
    private var slots: [[DeviceConnection]]
    private var nextSlot = 0
    private var watched: [DeviceConnection] = []
    private var dirty: [DeviceConnection] = []
    /// The other list of `dirty`, whose storage is used again in the next tick.
    private var spare: [DeviceConnection] = []
    private var isFlushScheduled = false
    /// Sockets that are not worth a moment of their own.
    private static let pingedAtOnce = 16
    /// Moments in a second at which sockets are pinged.
    private static let pingPortions = 10
    private var timer: Scheduled<Void>?

    /// Starts the timer, which runs until `stop()`.
    package init(
        eventLoop: any EventLoop,
        settings: ConnectionSettings = ConnectionSettings(),
        observer: (any ConnectionObserver)? = nil
    ) {
        eventLoop.assertInEventLoop()
        self.eventLoop = eventLoop
        self.settings = settings
        self.observer = observer
        slots = Array(repeating: [], count: max(1, settings.pingInterval.wholeSeconds))
        scheduleTimer()
    }

    /// Ends the timer, and every socket at once and without a word: those that should hear why are closed before.
    package func stop() {
        eventLoop.assertInEventLoop()
        timer?.cancel()
        timer = nil
        for connection in watched { connection.cut() }
        for slot in slots { for connection in slot { connection.cut() } }
        watched = []
    }

    /// Every open socket, in no particular order.
    package func forEachConnection(_ body: (DeviceConnection) -> Void) {
        eventLoop.assertInEventLoop()
        for slot in slots { slot.forEach(body) }
    }
}

// MARK: What connections ask of their group

extension ConnectionGroup {
    func add(_ connection: DeviceConnection) {
        connection.wheelPlace = Place(slot: Int32(nextSlot), index: Int32(slots[nextSlot].count))
        slots[nextSlot].append(connection)
        nextSlot = (nextSlot + 1) % slots.count
        connectionCount += 1
        observer?.opened(connection.transport)
    }

    func remove(_ connection: DeviceConnection) {
        let place = connection.wheelPlace
        guard place.slot >= 0 else { return }
        let last = slots[Int(place.slot)].removeLast()
        if last !== connection {
            slots[Int(place.slot)][Int(place.index)] = last
            last.wheelPlace = place
        }
        connection.wheelPlace = .none
        connectionCount -= 1
    }

    /// Has the connection looked at every second from now on.
    func watch(_ connection: DeviceConnection) {
        if connection.watchedSince == nil { watched.append(connection) }
        connection.watchedSince = second
    }

    /// Has the connection's frames written at the end of this tick, together with those of all others.
    func markDirty(_ connection: DeviceConnection) {
        guard !connection.isDirty else { return }
        connection.isDirty = true
        dirty.append(connection)
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute { self.flush() }
    }

    private func flush() {
        isFlushScheduled = false
        // A connection that sends while it is flushed waits for the next tick, so that a long replay does not hold up
        // the others.
        swap(&dirty, &spare)
        for connection in spare {
            connection.isDirty = false
            connection.flush()
        }
        spare.removeAll(keepingCapacity: true)
    }
}

// MARK: Time

extension ConnectionGroup {
    private func scheduleTimer() {
        timer = eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.secondPassed() }
    }

    private func secondPassed() {
        scheduleTimer()
        second &+= 1
        let now = watched
        watched = []
        for connection in now {
            guard let since = connection.watchedSince else { continue }
            if connection.secondPassed(since: since) {
                watched.append(connection)
            } else {
                connection.watchedSince = nil
            }
        }
        // A copy, because sockets leave their slot while it is walked.
        ping(ArraySlice(slots[Int(second) % slots.count]))
    }

    /// A few at a time over the second: four hundred writes at once would hold up everybody's messages for milliseconds.
    private func ping(_ due: ArraySlice<DeviceConnection>) {
        let portion = max(Self.pingedAtOnce, (due.count + Self.pingPortions - 1) / Self.pingPortions)
        for (number, start) in stride(from: due.startIndex, to: due.endIndex, by: portion).enumerated() {
            let some = due[start..<min(start + portion, due.endIndex)]
            let delay = TimeAmount.milliseconds(1_000 * Int64(number) / Int64(Self.pingPortions))
            guard number > 0 else {
                for connection in some { connection.pingDue() }
                continue
            }
            eventLoop.assumeIsolated().scheduleTask(in: delay) { for connection in some { connection.pingDue() } }
        }
    }
}

@available(*, unavailable)
extension ConnectionGroup: Sendable {}
