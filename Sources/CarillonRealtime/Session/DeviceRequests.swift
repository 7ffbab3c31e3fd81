import CarillonDomain
import CarillonStore
import NIOCore

/// What a device asked for and was not answered yet, in order.
///
/// Answers come one at a time, and long ones in pages, each when the socket has taken the one before: a device that asks without
/// reading costs one page's memory, not hundreds. A device of a subprotocol is not told when its replay is over; what it asks before
/// that waits for it.
///
/// - Isolation: the event loop
final class DeviceRequests {
    enum Request {
        case sync(SyncRequest)
        case missed(MissedNotifications)
        case acknowledge(NotificationID)

        fileprivate var type: String {
            switch self {
            case .sync: "sync.request"
            case .missed: "requestMissedNotifications"
            case .acknowledge: "ack"
            }
        }
    }

    private unowned let device: Device
    private unowned let hub: Hub
    private var waiting: [Request] = []
    /// The first of them has begun.
    private var isUnderWay = false
    /// The socket has an answer, or a page of one, and has not taken it yet.
    private var isPageSent = false

    /// What a payload of the page before had.
    private var payloadLength: Int?

    private static let most = 256
    private static let pageSize = 32

    init(of device: Device, hub: Hub) {
        self.device = device
        self.hub = hub
    }

    var isEmpty: Bool { waiting.isEmpty }

    /// The answer that is under way, where it is one of notifications.
    var missed: MissedNotifications? {
        if case .missed(let missed)? = waiting.first { missed } else { nil }
    }

    func append(_ request: Request) throws(ClientFrameError) {
        guard waiting.count < Self.most else {
            throw ClientFrameError(.busy, "too many requests wait for their answers", type: request.type)
        }
        waiting.append(request)
        start()
    }

    /// Begins what can begin.
    func start() {
        while !isUnderWay, let first = waiting.first {
            switch first {
            case .sync(let request):
                isUnderWay = true
                hub.sync(request, for: device)
            case .missed(let missed):
                guard device.isLive else { return }
                isUnderWay = true
                read(missed)
            case .acknowledge(let id):
                guard device.isLive else { return }
                waiting.removeFirst()
                hub.acknowledge(id, by: device)
            }
        }
    }

    /// The whole answer to the first request.
    func answered(_ frame: DeviceFrame) {
        isPageSent = true
        device.connection.sendBulk(frame)
    }

    /// The socket has taken what it was given.
    func drained() {
        guard isPageSent else { return }
        isPageSent = false
        if let missed, !missed.isEmpty { return showPage(of: missed) }
        if !waiting.isEmpty { waiting.removeFirst() }
        isUnderWay = false
        start()
    }

    // MARK: - Missed notifications

    private func read(_ missed: MissedNotifications) {
        let device = device
        hub.store.read(.newest(count: hub.store.settings.streamMaxLength), of: device.user.key, withTopics: true) {
            [self] result in
            guard let inbox = device.inbox else { return }
            guard case .success(let part) = result else { return refuse() }
            missed.plan(part)
            for feed in hub.topics.feeds(of: inbox) {
                missed.plan(feed.entries(of: inbox), of: feed.topic, through: feed.cursor.position)
            }
            showPage(of: missed)
        }
    }

    private func showPage(of missed: MissedNotifications) {
        let (device, page) = (device, missed.page(Self.pageSize))
        let ids = page.map { $0.entry.notificationID ?? NotificationID("") }
        hub.store.payloads(of: ids, upTo: Limits.pageBytes, each: payloadLength) { [self] result in
            guard device.inbox != nil else { return }
            guard case .success(let payloads) = result else { return refuse() }
            isPageSent = true
            payloadLength = payloads.averageLength
            device.connection.charge(payloads.count)
            for payload in payloads {
                if let frame = missed.next(payload) { device.connection.sendBulk(frame) }
            }
            // Also where there was nothing to show: the next page, or request, follows in a tick of its own.
            device.connection.callWhenDrained()
        }
    }

    private func refuse() {
        missed?.clear()
        let error = ClientFrameError(.unavailable, "Redis is away", type: "requestMissedNotifications")
        answered(DeviceFrame { ServerFrame.writeError(error, into: &$0) })
    }
}

@available(*, unavailable)
extension DeviceRequests: Sendable {}
