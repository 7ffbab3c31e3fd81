import CarillonDomain
import CarillonTools
import Foundation
import NIOCore

/// Short texts of strangers: queries, ids, positions, times, names, origins.
///
/// - What is taken and written again is taken, and is the same.
/// - What has two implementations, ours and Foundation's, is read the same by both.
enum Texts {
    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        try checkQuery(text)
        try checkPositions(text)
        try checkTime(text)
        try checkUsers(text)
        try checkOrigins(text)
        try checkEntryOfOthers(text)
    }

    /// The same bytes, not only the same look.
    private static func isSame(_ left: String?, _ right: String?) -> Bool {
        left.map { Array($0.utf8) } == right.map { Array($0.utf8) }
    }

    // MARK: - Queries

    private static func checkQuery(_ text: String) throws {
        let decoded = QueryParameters.percentDecoded(text)
        try require(
            isSame(decoded, text.removingPercentEncoding),
            "\(shown(text.utf8)) decodes to \(decoded ?? "nothing")"
        )
        let encoded = text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try require(isSame(QueryParameters.percentDecoded(encoded), text), "\(encoded) does not decode to what it was")
        let parameters = QueryParameters("a=\(encoded)&\(encoded)=b&a=c")
        let value = isSame(text, "a") ? "b" : text
        try require(isSame(parameters["a"], isSame(text, "a") ? text : value), "the first of two is not taken")
        if !isSame(text, "a") { try require(parameters[text] == "b", "\(encoded) names no parameter") }

        let query = QueryParameters(text)
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            let name = String(Substring(pair.prefix { $0 != UInt8(ascii: "=") }))
            guard let name = QueryParameters.percentDecoded(name) else { continue }
            try require(query.has(name), "\(shown(name.utf8)) is not found in \(shown(text.utf8))")
        }
        for ids in UserIDKind.allCases { _ = try? User.parse(id: query["user_id"], login: query["login"], ids: ids) }
        if let inbox = try? InboxQuery(query) {
            try require(InboxQuery.limits.contains(inbox.limit) && inbox.page >= 1, "\(inbox)")
            if let since = inbox.filter.since { try require(StreamPosition(since.text) == since, "since \(since)") }
        }
        let topics = (try? query.topics("channels")) ?? []
        try require(topics.count <= Limits.channelsPerFrame, "\(topics.count) topics")
        guard let topic = Topic(text) else { return }
        let list = try QueryParameters("channels=a,\(encoded),b").topics("channels")
        try require(list == [Topic("a"), topic, Topic("b")], "\(list) of a, \(shown(text.utf8)) and b")
    }

    // MARK: - Positions

    private static func checkPositions(_ text: String) throws {
        if let id = StreamID(text) {
            try require(StreamID(id.text) == id, "\(id)")
            try require(id == .max || id.successor > id && id.successor.predecessor == id, "around \(id)")
            try require(id == .zero || id.predecessor < id && id.predecessor.successor == id, "around \(id)")
        }
        if let place = EntryPlace(text) {
            guard let again = EntryPlace(place.text) else { throw Finding("\(place.text) is no place") }
            try require(again == place && !(again < place) && !(place < again), "\(place)")
        }
        if let position = StreamPosition(text) {
            guard let again = StreamPosition(position.text) else { throw Finding("\(position.text) is no position") }
            try require(again == position && isSame(again.text, position.text), "\(position)")
        }
        if let topic = Topic(text) {
            try require(isSame(topic.name, text), "\(topic)")
            let position = StreamPosition(own: nil, topics: [topic: .max])
            try require(StreamPosition(position.text) == position, "\(position)")
            let audience = Array(topic.audienceJSON.utf8)
            let members = audience.withUnsafeBytes { ScannedDocument.read($0)?.value }
            try require(isSame(members?["channel"]?.string, text), "\(topic.audienceJSON)")
        }
    }

    // MARK: - Times

    private static func checkTime(_ text: String) throws {
        guard let time = Timestamp(rfc3339: text) else { return }
        try require(Timestamp(rfc3339: time.text) == time, "\(time.text) is not read as it was written")
        let cut = Timestamp(milliseconds: time.milliseconds)
        try require(cut.milliseconds == time.milliseconds, "\(time.text) in milliseconds")
        // A time before 1970 counts as 1970.
        try require(cut <= time || time.milliseconds == 0, "\(cut.text) is later than \(time.text)")
        // glibc counts the same seconds.
        let fields = time.text.prefix(19).split { "-T:".contains($0) }.compactMap { Int32($0) }
        var calendar = tm()
        (calendar.tm_year, calendar.tm_mon, calendar.tm_mday) = (fields[0] - 1_900, fields[1] - 1, fields[2])
        (calendar.tm_hour, calendar.tm_min, calendar.tm_sec) = (fields[3], fields[4], fields[5])
        let seconds = timegm(&calendar)
        try require(time.milliseconds / 1_000 == UInt64(max(0, seconds)), "\(time.text), where glibc has \(seconds)")
    }

    // MARK: - Users

    private static func checkUsers(_ text: String) throws {
        for login in ["alice", text] {
            guard let user = try? User.parse(id: text, login: login, ids: .text) else { continue }
            try require(user.key.user == user, "\(user) becomes \(user.key.user)")
            try require(UserKey(text: user.key.text) == user.key, "\(user.key)")
            if case .number = user.id {
                try require((try? User.parse(id: text, login: login, ids: .int)) == user, "\(user)")
            }
        }
        // Keys of other programs.
        guard let key = UserKey(text: text) else { return }
        try require(isSame("\(key.idPart)-\(key.login)", text), "\(shown(text.utf8)) is taken apart wrongly")
        _ = key.user
    }

    // MARK: - Origins

    private static func checkOrigins(_ text: String) throws {
        guard case .only(let origins)? = AllowedOrigins(text) else { return }
        try require(AllowedOrigins(origins.joined(separator: ",")) == .only(origins), "\(origins)")
        for origin in origins {
            try require(AllowedOrigins.only(origins).answer(to: origin) == origin, "\(origin) is not let in")
            // It goes into a header as it is.
            try require(
                origin.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ",") },
                "\(shown(origin.utf8))"
            )
        }
    }

    // MARK: - Entries that other programs wrote

    /// The text as the id of a notification, and as a field of a table of topics.
    private static func checkEntryOfOthers(_ text: String) throws {
        let entry = EntryReference(streamID: .max, notificationID: NotificationID(text))
        var frame = ByteBuffer()
        ServerFrame.writePush(entry, .expired(at: .max), .autoCleared, of: .everybody, into: &frame)
        let id = frame.withUnsafeReadableBytes { ScannedDocument.read($0)?.value["data"]?["notification_id"]?.string }
        try require(isSame(id, text), "the id \(shown(text.utf8)) is pushed as \(String(buffer: frame))")
        var marks = InboxMarks()
        marks.add(field: InboxMarks.Kind.archived.field(entry.notificationID), value: "1")
        try require(marks.archived == [entry.notificationID: 1], "the mark of \(shown(text.utf8)) is not found")
        let record = TopicRecord(fields: [(TopicRecord.read + text, "1"), (TopicRecord.gone + text, "1"), (text, text)])
        try require(record.read[entry.notificationID] == 1, "\(shown(text.utf8)) does not count as read")
        try require(record.gone.contains(entry.notificationID), "\(shown(text.utf8)) is not gone")
        guard let topic = Topic(text) else { return }
        let subscribed = TopicRecord(fields: [(TopicRecord.subscription + text, "1-1")])
        try require(
            subscribed.subscriptions.keys.map(\.name.utf8.count) == [topic.name.utf8.count],
            "\(topic) is not listened to"
        )
    }
}
