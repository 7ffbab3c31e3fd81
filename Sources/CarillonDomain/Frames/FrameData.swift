import NIOCore

/// The type and the `data` of a frame that a device said, known to be valid JSON.
struct FrameData {
    let bytes: UnsafeRawBufferPointer
    let value: JSONScanner.Value?
    let type: String

    /// Takes a message apart and has its data read.
    static func read(
        _ message: ByteBuffer,
        _ body: (FrameData) throws(ClientFrameError) -> ClientFrame
    ) throws(ClientFrameError) -> ClientFrame {
        let result = message.withUnsafeReadableBytes { bytes -> Result<ClientFrame, ClientFrameError> in
            do throws(ClientFrameError) {
                return .success(try body(FrameData(bytes)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(_ bytes: UnsafeRawBufferPointer) throws(ClientFrameError) {
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
        self.bytes = bytes
        self.value = data
        self.type = name
    }

    func references() throws(ClientFrameError) -> ClientFrame {
        var references: [EntryReference] = []
        var ofTopics: [TopicReference] = []
        guard value?.kind == .array, let range = value?.range else {
            try add(value, to: &references, or: &ofTopics)
            return .read(references, ofTopics: ofTopics)
        }
        let elements = JSONScanner(bytes).elements(of: range)
        guard (1...Limits.readsPerFrame).contains(elements.count) else {
            throw invalid("data must hold 1 to \(Limits.readsPerFrame) pairs")
        }
        for element in elements { try add(element, to: &references, or: &ofTopics) }
        return .read(references, ofTopics: ofTopics)
    }

    func topics() throws(ClientFrameError) -> [Topic] {
        guard let value, let list = try members(of: value, "channels")[0] else {
            throw invalid("channels must be an array of names")
        }
        return try topics(in: list, 1...Limits.channelsPerFrame)
    }

    func topics(in list: JSONScanner.Value, _ counts: ClosedRange<Int>) throws(ClientFrameError) -> [Topic] {
        guard list.kind == .array else { throw invalid("channels must be an array of names") }
        let elements = JSONScanner(bytes).elements(of: list.range)
        guard counts.contains(elements.count) else {
            throw invalid("channels must hold \(counts.lowerBound) to \(counts.upperBound) names")
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
        let id = try notificationID(members[0], "notification_id")
        guard let member = members[1], member.kind != .null else { throw invalid("stream_id is required") }
        guard let place = member.text.flatMap({ EntryPlace(JSONScanner(bytes).string($0)) }) else {
            throw invalid("stream_id must be a stream id such as 1640995200000-0")
        }
        let entry = EntryReference(streamID: place.streamID, notificationID: id)
        if let topic = place.topic { ofTopics.append(TopicReference(topic, entry)) } else { references.append(entry) }
    }

    func members(of value: JSONScanner.Value, _ names: StaticString...) throws(ClientFrameError) -> [JSONScanner.Value?]
    {
        guard value.kind == .object else { throw invalid("data must be an object") }
        return JSONScanner(bytes).members(of: value.range, names)
    }

    func notificationID(_ value: JSONScanner.Value?, _ name: String) throws(ClientFrameError) -> NotificationID {
        guard let id = value?.text, (1...Limits.notificationIDBytes).contains(id.decodedBytes) else {
            throw invalid("\(name) must be a string of 1 to \(Limits.notificationIDBytes) bytes")
        }
        return NotificationID(JSONScanner(bytes).string(id))
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

    func invalid(_ detail: String) -> ClientFrameError { ClientFrameError(.invalidData, detail, type: type) }

    var unknownType: ClientFrameError {
        ClientFrameError(.unknownType, "there is no such type of message", type: type)
    }
}
