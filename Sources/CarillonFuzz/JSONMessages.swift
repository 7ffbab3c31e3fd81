import CarillonDomain
import CarillonTools
import NIOCore

/// What stands in documents: posts, stored payloads, and what devices say.
///
/// - What a post becomes, payload and push, is a document, and its members are those of the post.
/// - A payload of ours is read again as what it was made of; one of anybody's makes a push that is a document.
/// - What a device says is within its limits or refused, and the refusal is a document.
enum JSONMessages {
    private static let alice = User(id: .number(1), login: "alice")
    private static let entry = EntryReference(
        streamID: StreamID(milliseconds: 7, sequence: 1),
        notificationID: NotificationID("n")
    )

    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let message = ByteBuffer(bytes: bytes)
        for ids in UserIDKind.allCases { try checkPost(message, ids) }
        try checkStored(message)
        try checkDevice { () throws(ClientFrameError) in try ClientFrame.parse(message) }
        try checkDevice { () throws(ClientFrameError) in try ClientFrame.parseNotificationsV1(message, from: alice) }
    }

    // MARK: - Posts

    private static func checkPost(_ body: ByteBuffer, _ ids: UserIDKind) throws {
        var limits = NotifyLimits()
        limits.userIDs = ids
        // So short that an input can pass it.
        limits.messageBytes = 200
        let request: NotifyRequest
        do throws(Problem) {
            request = try NotifyRequest.parse(body, limits: limits)
        } catch {
            return try require(document(ByteBuffer(string: error.json)) != nil, "no document: \(error.json)")
        }
        guard let post = document(body) else { throw Finding("a post that is no document was taken") }
        var payloads: [ByteBuffer] = []
        if let audience = request.audience {
            try require(request.targets.isEmpty, "targets beside an audience")
            payloads = [
                written { request.content.writePayload(id: entry.notificationID, audience: audience, into: &$0) }
            ]
        }
        for user in request.targets {
            payloads.append(written { request.content.writePayload(id: entry.notificationID, target: user, into: &$0) })
        }
        try require((1...Limits.targets).contains(payloads.count), "\(payloads.count) payloads")
        for payload in payloads { try checkPayload(payload, of: request, post) }
        try checkPush(request.content)
    }

    private static func checkPayload(_ payload: ByteBuffer, of request: NotifyRequest, _ post: JSONValue) throws {
        guard let stored = document(payload) else { throw Finding("the payload is no document: \(shown(payload))") }
        let message = post["message"] ?? post["content"]
        try require(stored["message"] == message, "the message of \(shown(payload))")
        try require(
            stored["data"].map { $0 == (post["data"] ?? post["metadata"] ?? post["content"]) } ?? true,
            "the data"
        )
        try checkNames(stored, ["notification_id", "target", "audience"])
        // What another pod reads of it is what this one has.
        guard let again = NotificationContent(payload: payload, streamID: entry.streamID) else {
            throw Finding("the payload cannot be read again: \(shown(payload))")
        }
        let isSame = again.common == request.content.common && again.optional == request.content.optional
        try require(isSame, "\(shown(payload)) is read as \(shown(again.common)) and \(shown(again.optional))")
        guard let parts = StoredPayload(payload) else {
            throw Finding("the payload cannot be listed: \(shown(payload))")
        }
        try require(parts.audience == request.audience, "another audience in \(shown(payload))")
        try require(
            parts.target.map(request.targets.contains) ?? (request.audience != nil),
            "another target in \(shown(payload))"
        )
    }

    // MARK: - Payloads of others

    private static func checkStored(_ payload: ByteBuffer) throws {
        let content = NotificationContent(payload: payload, streamID: entry.streamID)
        let parts = StoredPayload(payload)
        // Lists and pushes agree on what can be shown.
        try require((content == nil) == (parts == nil), "only one of list and push takes \(shown(payload))")
        try require((content == nil) || document(payload) != nil, "no document is taken: \(shown(payload))")
        if let content { try checkPush(content) }
    }

    private static func checkPush(_ content: NotificationContent) throws {
        let push = written { ServerFrame.writePush(entry, content, .unread, into: &$0) }
        guard case .object? = document(push)?["data"] else { throw Finding("the push is no document: \(shown(push))") }
        try checkNames(document(push)?["data"] ?? .null, ["notification_id", "stream_id", "status", "read"])
        try push.withUnsafeReadableBytes { bytes in
            for frame in NotificationsV1.frames(for: bytes, at: Timestamp(milliseconds: 0)) {
                try require(document(frame) != nil, "the frame is no document: \(shown(frame))")
            }
        }
    }

    private static let contentNames =
        ["message", "created_at", "source"] + OptionalMember.allCases.map { "\($0.name)" }

    /// Nothing was spliced in that looks like a member of its own.
    private static func checkNames(_ object: JSONValue, _ others: [String]) throws {
        guard case .object(let members) = object else { throw Finding("\(object) is no object") }
        let names = members.map(\.name)
        try require(Set(names).count == names.count, "a name twice in \(names)")
        try require(Set(names).isSubset(of: contentNames + others), "another name in \(names)")
    }

    // MARK: - What devices say

    private static func checkDevice(_ parse: () throws(ClientFrameError) -> ClientFrame) throws {
        let frame: ClientFrame
        do throws(ClientFrameError) {
            frame = try parse()
        } catch {
            let answer = written { ServerFrame.writeError(error, into: &$0) }
            return try require(document(answer) != nil, "the error is no document: \(shown(answer))")
        }
        try require(isWithinLimits(frame), "\(frame)")
    }

    private static func isWithinLimits(_ frame: ClientFrame) -> Bool {
        switch frame {
        case .read(let own, let ofTopics): (1...Limits.readsPerFrame).contains(own.count + ofTopics.count)
        case .sync(let request): Limits.syncEntries.contains(request.limit)
        case .setRetention(let days): Limits.retentionDays.contains(days)
        case .subscribe(let topics), .unsubscribe(let topics): topics.count <= Limits.channelsPerFrame
        case .acknowledge(let id): (1...Limits.notificationIDBytes).contains(id.text.utf8.count)
        case .missed(let position): position.topics.count <= Limits.subscriptions + 1
        }
    }

    private static func document(_ bytes: ByteBuffer) -> JSONValue? {
        try? JSONValue(parsing: Array(bytes.readableBytesView))
    }

    private static func written(_ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var buffer = ByteBuffer()
        write(&buffer)
        return buffer
    }

    private static func shown(_ bytes: ByteBuffer) -> String { String(buffer: bytes).debugDescription }
}
