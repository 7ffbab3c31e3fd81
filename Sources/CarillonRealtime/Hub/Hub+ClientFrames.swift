import CarillonDomain
import CarillonStore
import NIOCore

/// What devices ask for.
extension Hub {
    /// Marks entries as read, after a look at whether they are there; what is not is answered and stores nothing.
    func markRead(_ entries: [EntryReference], by device: Device) {
        guard let inbox = device.inbox else { return }
        for entry in entries {
            store.check(entry, of: device.user) { [self] result in
                switch result {
                case .success(.exists):
                    inbox.reads.append(PendingRead(entry: entry, device: device))
                    groupKeeper.queueReads(inbox)
                case .success(.gone): refuse(entry, isGone: true, device)
                case .success(.notFound): refuse(entry, isGone: inbox.wasCleared(entry), device)
                case .failure:
                    device.send(
                        ClientFrameError(.unavailable, "Redis is away", type: "notification.read", entry: entry)
                    )
                }
            }
        }
    }

    /// The same for entries of topics. What is not in memory may have been shown by a pod that heard of it earlier.
    func markRead(_ reads: [TopicReference], by device: Device) {
        guard let inbox = device.inbox else { return }
        var found: [TopicReference] = []
        for read in reads {
            let feed = topics.feeds(of: inbox).first { $0.topic == read.topic }
            if feed?.entries(of: inbox).contains(read.entry) == true {
                found.append(read)
            } else {
                store.holds(read, for: device.user.key) { [self] result in
                    switch result {
                    case .success(true): storeReads([read], by: device)
                    case .success(false): refuse(read, .notFound, "this user has no such entry", device)
                    case .failure: refuse(read, .unavailable, "Redis is away", device)
                    }
                }
            }
        }
        if !found.isEmpty { storeReads(found, by: device) }
    }

    private func refuse(_ read: TopicReference, _ code: ClientFrameError.Code, _ detail: String, _ device: Device) {
        device.send(ClientFrameError(code, detail, type: "notification.read", entry: read.entry, of: read.topic))
    }

    private func storeReads(_ found: [TopicReference], by device: Device) {
        topics.read(found, of: device.user.key, at: Timestamp.nowMilliseconds()) { [self] isStored in
            guard !isStored else { return }
            for read in found { refuse(read, .unavailable, "Redis did not confirm; say it again", device) }
        }
    }

    /// Marks as read what a device knows by its id alone; the pair that is read is the one that stands in a stream of the user.
    func acknowledge(_ id: NotificationID, by device: Device) {
        guard let inbox = device.inbox else { return }
        for feed in topics.feeds(of: inbox) {
            guard let entry = feed.entries(of: inbox).last(where: { $0.notificationID == id }) else { continue }
            return markRead([TopicReference(feed.topic, entry)], by: device)
        }
        // Such a device is told the id alone.
        let unknown = EntryReference(streamID: .zero, notificationID: id)
        store.find(id, of: device.user) { [self] result in
            switch result {
            case .success(.found(let entry)):
                inbox.reads.append(PendingRead(entry: entry, device: device))
                groupKeeper.queueReads(inbox)
            case .success(.gone): refuse(unknown, isGone: true, device)
            case .success(.notFound): refuse(unknown, isGone: inbox.wasCleared(id), device)
            case .failure: device.send(ClientFrameError(.unavailable, "Redis is away", type: "ack", entry: unknown))
            }
        }
    }

    /// Subscribes the user, or ends that; the answer is what all his devices are told. Devices may name no channel at all.
    func changeSubscriptions(_ channels: [Topic], isSubscribing: Bool, by device: Device) {
        guard !channels.isEmpty else { return }
        let type = isSubscribing ? "subscribe" : "unsubscribe"
        let completion = { (result: TopicDirectory.SubscribeResult) in
            switch result {
            case .done: break
            case .tooMany:
                let detail = "a user has at most \(Limits.subscriptions) channels"
                device.send(ClientFrameError(.limit, detail, type: type))
            case .unavailable: device.send(ClientFrameError(.unavailable, "Redis is away", type: type))
            }
        }
        if isSubscribing {
            topics.subscribe(device.user.key, to: channels, completion: completion)
        } else {
            topics.unsubscribe(device.user.key, from: channels, completion: completion)
        }
    }

    private func refuse(_ entry: EntryReference, isGone: Bool, _ device: Device) {
        let error =
            isGone
            ? ClientFrameError(.gone, "the entry has been cleaned", type: "notification.read", entry: entry)
            : ClientFrameError(.notFound, "this user has no such entry", type: "notification.read", entry: entry)
        device.send(error)
    }

    /// Answers with part of the history.
    func sync(_ request: SyncRequest, for device: Device) {
        let count = min(request.limit, store.settings.streamMaxLength)
        let range = InboxRange.between(since: request.since, before: request.before, count: count)
        let user = device.user.key
        store.read(range, of: user) { [self] result in
            guard case .success(let part) = result else { return refuseSync(device) }
            // The newest are asked for first: what is too much is left out at the other end.
            let ids = part.entries.reversed().map { $0.notificationID ?? NotificationID("") }
            store.payloads(of: ids, upTo: Limits.syncBytes) { [self] result in
                guard case .success(let payloads) = result else { return refuseSync(device) }
                device.connection.charge(payloads.count - 1)
                device.answerSync(Self.syncResponse(part, payloads.reversed()))
            }
        }
    }

    private func refuseSync(_ device: Device) {
        let error = ClientFrameError(.unavailable, "Redis is away", type: "sync.request")
        device.answerSync(DeviceFrame { ServerFrame.writeError(error, into: &$0) })
    }

    private static func syncResponse(_ part: InboxPart, _ payloads: [ByteBuffer?]) -> DeviceFrame {
        DeviceFrame { buffer in
            buffer.writeStaticString("{\"type\":\"sync.response\",\"data\":[")
            var isFirst = true
            for (entry, payload) in zip(part.entries.suffix(payloads.count), payloads) {
                guard let reference = entry.reference else { continue }
                let content = payload.flatMap { NotificationContent(payload: $0, streamID: entry.id) }
                let isRead = part.isRead(entry)
                guard content != nil || !isRead else { continue }
                if !isFirst { buffer.writeStaticString(",") }
                isFirst = false
                let status: EntryStatus = content == nil ? .autoCleared : isRead ? .read : .unread
                let shown = content ?? .expired(at: entry.id)
                ServerFrame.writeEntry(reference, shown, status, marks: part.marks, into: &buffer)
            }
            buffer.writeStaticString("]}")
        }
    }

    func setRetention(_ days: Int, by device: Device) {
        store.setRetention(days: days, of: device.user.key) { isStored in
            guard isStored else {
                return device.send(ClientFrameError(.unavailable, "Redis is away", type: "retention.set"))
            }
            device.connection.sendBulk(DeviceFrame { ServerFrame.writeRetentionAck(days: days, into: &$0) })
        }
    }
}
