package import NIOCore

/// What a device may say.
package enum ClientFrame: Sendable {
    /// `notification.read`: up to 100 pairs, those of topics by themselves.
    case read([EntryReference], ofTopics: [TopicReference])
    case sync(SyncRequest)
    /// `retention.set`: days that entries are kept.
    case setRetention(days: Int)
    case subscribe([Topic])
    case unsubscribe([Topic])
}

/// One entry of a topic.
package struct TopicReference: Hashable, Sendable {
    package let topic: Topic
    package let entry: EntryReference

    package init(_ topic: Topic, _ entry: EntryReference) {
        self.topic = topic
        self.entry = entry
    }
}

/// `sync.request`: the newest `limit` entries, between two stream ids where they are given (both exclusive).
package struct SyncRequest: Sendable {
    package var limit = Limits.syncDefault
    package var before: StreamID?
    package var since: StreamID?

    package init() {}
}

/// Why a frame was refused; the connection stays open.
package struct ClientFrameError: Error, Sendable {
    package enum Code: Sendable {
        case malformedJSON
        case unknownType
        case invalidData
        case notFound
        case gone
        case unavailable
        case busy
        /// There is no room for more.
        case limit

        package var name: StaticString {
            switch self {
            case .malformedJSON: "malformed_json"
            case .unknownType: "unknown_type"
            case .invalidData: "invalid_data"
            case .notFound: "not_found"
            case .gone: "gone"
            case .unavailable: "unavailable"
            case .busy: "busy"
            case .limit: "limit"
            }
        }
    }

    package let code: Code
    package let detail: String
    /// The type of the offending frame, where it had one.
    package let type: String?
    /// The pair that was not found.
    package let entry: EntryReference?
    /// Whose entry it is; nil: the user's own.
    package let topic: Topic?

    package init(
        _ code: Code,
        _ detail: String,
        type: String? = nil,
        entry: EntryReference? = nil,
        of topic: Topic? = nil
    ) {
        self.code = code
        self.detail = detail
        self.type = type
        self.entry = entry
        self.topic = topic
    }
}

extension ClientFrame {
    /// Parses one text message.
    package static func parse(_ message: ByteBuffer) throws(ClientFrameError) -> ClientFrame {
        let result = message.withUnsafeReadableBytes { bytes -> Result<ClientFrame, ClientFrameError> in
            do throws(ClientFrameError) {
                return .success(try parse(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer) throws(ClientFrameError) -> ClientFrame {
        var type: JSONScanner.Value?
        var data: JSONScanner.Value?
        do throws(JSONScanner.Malformed) {
            var scanner = JSONScanner(bytes)
            scanner.skipSpace()
            guard scanner.peek() == UInt8(ascii: "{") else { throw scanner.malformed("expected an object") }
            try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
                let value = try scanner.value(depth: Limits.jsonDepth - 1)
                if scanner.equals(name, "type") { type = value } else if scanner.equals(name, "data") { data = value }
            }
            try scanner.end()
        } catch {
            throw ClientFrameError(.malformedJSON, "the message is not JSON: \(error.reason) at byte \(error.offset)")
        }
        guard let name = type?.text.map(JSONScanner(bytes).string) else {
            throw ClientFrameError(.invalidData, "type is required")
        }
        let body = FrameData(bytes: bytes, value: data, type: name)
        switch name {
        case "notification.read": return try body.references()
        case "sync.request": return .sync(try body.syncRequest())
        case "retention.set": return .setRetention(days: try body.days())
        case "subscribe": return .subscribe(try body.topics())
        case "unsubscribe": return .unsubscribe(try body.topics())
        default: throw ClientFrameError(.unknownType, "there is no such type of message", type: name)
        }
    }
}

/// The `data` of a frame, known to be valid JSON.
private struct FrameData {
    let bytes: UnsafeRawBufferPointer
    let value: JSONScanner.Value?
    let type: String

    func references() throws(ClientFrameError) -> ClientFrame {
        var references: [EntryReference] = []
        var ofTopics: [TopicReference] = []
        guard value?.kind == .array, let range = value?.range else {
            try add(value, to: &references, or: &ofTopics)
            return .read(references, ofTopics: ofTopics)
        }
        let elements = elements(of: range)
        guard (1...Limits.readsPerFrame).contains(elements.count) else {
            throw invalid("data must hold 1 to \(Limits.readsPerFrame) pairs")
        }
        for element in elements { try add(element, to: &references, or: &ofTopics) }
        return .read(references, ofTopics: ofTopics)
    }

    func topics() throws(ClientFrameError) -> [Topic] {
        guard let value, let list = try members(of: value, "channels")[0], list.kind == .array else {
            throw invalid("channels must be an array of names")
        }
        let elements = elements(of: list.range)
        guard (1...Limits.channelsPerFrame).contains(elements.count) else {
            throw invalid("channels must hold 1 to \(Limits.channelsPerFrame) names")
        }
        var topics: [Topic] = []
        for element in elements {
            guard let topic = element.text.flatMap({ Topic(JSONScanner(bytes).string($0)) }) else {
                throw invalid("the name of a channel \(Topic.nameRule)")
            }
            if !topics.contains(topic) { topics.append(topic) }
        }
        return topics
    }

    private func elements(of range: Range<Int>) -> [JSONScanner.Value] {
        var elements: [JSONScanner.Value] = []
        var scanner = JSONScanner(bytes)
        scanner.move(to: range.lowerBound)
        try? scanner.array { (scanner, _) throws(JSONScanner.Malformed) in elements.append(try scanner.value()) }
        return elements
    }

    func syncRequest() throws(ClientFrameError) -> SyncRequest {
        var request = SyncRequest()
        guard let value, value.kind != .null else { return request }
        let members = try members(of: value, "limit", "before", "since")
        if let limit = members[0], limit.kind != .null {
            guard limit.kind == .number else { throw invalid("limit must be a number") }
            request.limit = clampedLimit(limit.range)
        }
        request.before = try streamID(members[1], "before")
        request.since = try streamID(members[2], "since")
        return request
    }

    func days() throws(ClientFrameError) -> Int {
        guard let value, let days = try members(of: value, "days")[0], days.kind == .number,
            let number = JSONScanner(bytes).natural(days.range).flatMap(Int.init(exactly:)),
            Limits.retentionDays.contains(number)
        else {
            throw invalid("days must be an integer from 1 to 15")
        }
        return number
    }

    private func add(
        _ value: JSONScanner.Value?,
        to references: inout [EntryReference],
        or ofTopics: inout [TopicReference]
    ) throws(ClientFrameError) {
        guard let value else { throw invalid("data is required") }
        let members = try members(of: value, "notification_id", "stream_id")
        guard let id = members[0]?.text, (1...Limits.notificationIDBytes).contains(id.decodedBytes) else {
            throw invalid("notification_id must be a string of 1 to \(Limits.notificationIDBytes) bytes")
        }
        guard let member = members[1], member.kind != .null else { throw invalid("stream_id is required") }
        guard let place = member.text.flatMap({ EntryPlace(JSONScanner(bytes).string($0)) }) else {
            throw invalid("stream_id must be a stream id such as 1640995200000-0")
        }
        let entry = EntryReference(
            streamID: place.streamID,
            notificationID: NotificationID(JSONScanner(bytes).string(id))
        )
        if let topic = place.topic { ofTopics.append(TopicReference(topic, entry)) } else { references.append(entry) }
    }

    private func members(
        of value: JSONScanner.Value,
        _ names: StaticString...
    ) throws(ClientFrameError) -> [JSONScanner.Value?] {
        guard value.kind == .object else { throw invalid("data must be an object") }
        var found = [JSONScanner.Value?](repeating: nil, count: names.count)
        var scanner = JSONScanner(bytes)
        scanner.move(to: value.range.lowerBound)
        try? scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            let member = try scanner.value()
            for (index, wanted) in names.enumerated() where scanner.equals(name, wanted) { found[index] = member }
        }
        return found
    }

    private func streamID(_ value: JSONScanner.Value?, _ name: String) throws(ClientFrameError) -> StreamID? {
        guard let value, value.kind != .null else { return nil }
        guard let text = value.text, let id = StreamID(JSONScanner(bytes).string(text)) else {
            throw invalid("\(name) must be a stream id such as 1640995200000-0")
        }
        return id
    }

    /// Any number will do: it is clamped, not refused.
    private func clampedLimit(_ range: Range<Int>) -> Int {
        if bytes[range.lowerBound] == UInt8(ascii: "-") { return Limits.syncEntries.lowerBound }
        let whole = bytes[range].prefix { $0 &- UInt8(ascii: "0") <= 9 }
        let hasExponent = bytes[range].contains { $0 | 0x20 == UInt8(ascii: "e") }
        let number = JSONScanner(bytes).natural(whole.startIndex..<whole.endIndex) ?? .max
        let limit = hasExponent && number > 0 ? Int64(Limits.syncEntries.upperBound) : number
        return Int(min(max(limit, Int64(Limits.syncEntries.lowerBound)), Int64(Limits.syncEntries.upperBound)))
    }

    private func invalid(_ detail: String) -> ClientFrameError { ClientFrameError(.invalidData, detail, type: type) }
}
