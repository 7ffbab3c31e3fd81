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
            store.payloads(of: part.entries.map { $0.notificationID ?? NotificationID("") }) { [self] result in
                guard case .success(let payloads) = result else { return refuseSync(device) }
                device.answerSync(Self.syncResponse(part, payloads))
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
            for (entry, payload) in zip(part.entries, payloads) {
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
