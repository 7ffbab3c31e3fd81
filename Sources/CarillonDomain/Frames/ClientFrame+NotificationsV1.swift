package import NIOCore

extension ClientFrame {
    /// Parses one text message of a device of the subprotocol `notifications.v1+json`.
    package static func parseNotificationsV1(
        _ message: ByteBuffer,
        from user: User
    ) throws(ClientFrameError) -> ClientFrame {
        try FrameData.read(message) { (data) throws(ClientFrameError) in
            switch data.type {
            case "subscribe": return .subscribe(try data.topics(of: user))
            case "unsubscribe": return .unsubscribe(try data.topics(of: user))
            case "ack": return .acknowledge(try data.acknowledged())
            case "requestMissedNotifications": return .missed(since: try data.position())
            default: throw data.unknownType
            }
        }
    }
}

extension FrameData {
    /// Channels may be missing: all that is for the user himself comes without a word of his.
    fileprivate func topics(of user: User) throws(ClientFrameError) -> [Topic] {
        guard let value else { throw invalid("data is required") }
        let members = try members(of: value, "userId", "channels")
        if let id = members[0], id.kind != .null, !names(user.id, id) {
            throw invalid("userId must be that of this connection's user")
        }
        guard let list = members[1], list.kind != .null else { return [] }
        return try topics(in: list, 0...Limits.channelsPerFrame)
    }

    /// A page that takes the id from its address has the digits as text.
    private func names(_ id: UserID, _ value: JSONScanner.Value) -> Bool {
        let text = value.text.map(JSONScanner(bytes).string)
        switch id {
        case .number(let number):
            return text == String(number) || value.kind == .number && JSONScanner(bytes).natural(value.range) == number
        case .text(let id): return text?.utf8.elementsEqual(id.utf8) == true
        }
    }

    fileprivate func acknowledged() throws(ClientFrameError) -> NotificationID {
        guard let value else { throw invalid("data is required") }
        return try notificationID(try members(of: value, "notificationId")[0], "notificationId")
    }

    /// Without `since` there is nothing that the client has.
    fileprivate func position() throws(ClientFrameError) -> StreamPosition {
        guard let value else { throw invalid("data is required") }
        guard let since = try members(of: value, "since")[0], since.kind != .null else {
            return StreamPosition(own: .zero)
        }
        let text = since.text.map(JSONScanner(bytes).string)
        if let milliseconds = milliseconds(since) ?? text.flatMap({ Timestamp(rfc3339: $0) })?.milliseconds {
            // What came in that very millisecond may be missing too.
            return StreamPosition(own: StreamID(milliseconds: milliseconds, sequence: 0).predecessor)
        }
        guard let position = text.flatMap({ StreamPosition($0) }) else {
            throw invalid("since must be an RFC 3339 time, milliseconds since 1970, or a stream id")
        }
        return position
    }

    /// A number, or a text of digits.
    private func milliseconds(_ value: JSONScanner.Value) -> UInt64? {
        let digits = value.kind == .number ? value.range : value.text?.range ?? 0..<0
        return digits.isEmpty ? nil : JSONScanner(bytes).natural(digits).map(UInt64.init)
    }
}
