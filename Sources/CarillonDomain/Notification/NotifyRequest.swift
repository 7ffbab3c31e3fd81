package import NIOCore

/// A valid body of `POST /api/v1/notify`.
package struct NotifyRequest: Sendable {
    /// As named, in order, repetitions included.
    package let targets: [User]
    package let content: NotificationContent
    /// `ttl_seconds`, where the sender wants another life than `NOTIFICATION_TTL`.
    package let ttlSeconds: Int?
    /// `type`, for the label of a histogram.
    package let type: String?
    /// `collapse_key`: the user's earlier unread notification with this key is replaced.
    package let collapseKey: String?

    /// Parses and validates a body.
    ///
    /// - Throws: 400 where it is not JSON, 422 with a pointer for each field that is wrong; either stored nothing.
    package static func parse(_ body: ByteBuffer, limits: NotifyLimits) throws(Problem) -> NotifyRequest {
        let result = body.withUnsafeReadableBytes { bytes -> Result<NotifyRequest, Problem> in
            var parser = NotifyRequestParser(bytes: bytes, limits: limits)
            do throws(Problem) {
                return .success(try parser.parse())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// Walks over a body once, keeps spans, and then judges them.
private struct NotifyRequestParser {
    let bytes: UnsafeRawBufferPointer
    let limits: NotifyLimits
    /// The value of each member, by its raw value.
    var members = [JSONScanner.Value?](repeating: nil, count: Member.allCases.count)
    var targets: [User] = []
    var hasTargets = false
    /// They were named `target`, which wins over `recipients`.
    var hasTarget = false
    var faults: [Problem.Field] = []

    /// The members that are understood; the aliases are those of the contract.
    enum Member: Int, CaseIterable {
        case message
        case createdAt
        case source
        case title
        case type
        case channel
        case priority
        case data
        case ttlSeconds
        case collapseKey
        case content
        case metadata
        case eventType
        case notificationType

        var name: StaticString {
            switch self {
            case .message: "message"
            case .createdAt: "created_at"
            case .source: "source"
            case .title: "title"
            case .type: "type"
            case .channel: "channel"
            case .priority: "priority"
            case .data: "data"
            case .ttlSeconds: "ttl_seconds"
            case .collapseKey: "collapse_key"
            case .content: "content"
            case .metadata: "metadata"
            case .eventType: "event_type"
            case .notificationType: "notification_type"
            }
        }
    }

    /// More faults than this are not listed: nobody reads them.
    static let listedFaults = 100

    mutating func parse() throws(Problem) -> NotifyRequest {
        do throws(JSONScanner.Malformed) {
            try scan()
        } catch {
            throw .malformedJSON("the body is not JSON: \(error.reason) at byte \(error.offset)")
        }
        if !hasTargets { fault("/target", "is required: an array of 1 to \(Limits.targets) users") }
        let request = build()
        guard faults.isEmpty else { throw .invalid(faults) }
        return request
    }

    private mutating func scan() throws(JSONScanner.Malformed) {
        var scanner = JSONScanner(bytes)
        scanner.skipSpace()
        guard scanner.peek() == UInt8(ascii: "{") else {
            _ = try scanner.value()
            try scanner.end()
            return fault("", "the body must be an object")
        }
        var parser = self
        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            if scanner.equals(name, "target") || scanner.equals(name, "recipients") && !parser.hasTarget {
                parser.hasTarget = parser.hasTarget || scanner.equals(name, "target")
                try parser.scanTargets(&scanner)
            } else {
                let value = try scanner.value(depth: Limits.jsonDepth - 1)
                for member in Member.allCases where scanner.equals(name, member.name) {
                    parser.members[member.rawValue] = value
                }
            }
        }
        try scanner.end()
        self = parser
    }

    func given(_ member: Member) -> JSONScanner.Value? { members[member.rawValue] }

    mutating func fault(_ pointer: String, _ detail: String) {
        if faults.count < Self.listedFaults { faults.append(Problem.Field(pointer: pointer, detail: detail)) }
    }
}

// MARK: - Targets

extension NotifyRequestParser {
    mutating func scanTargets(_ scanner: inout JSONScanner) throws(JSONScanner.Malformed) {
        hasTargets = true
        targets.removeAll()
        faults.removeAll { $0.pointer.hasPrefix("/target") }
        guard scanner.peek() == UInt8(ascii: "[") else {
            _ = try scanner.value(depth: Limits.jsonDepth - 1)
            return fault("/target", "must be an array of 1 to \(Limits.targets) users")
        }
        var count = 0
        var parser = self
        try scanner.array { (scanner, position) throws(JSONScanner.Malformed) in
            count = position + 1
            try parser.scanTarget(&scanner, position)
        }
        self = parser
        if !(1...Limits.targets).contains(count) { fault("/target", "must name 1 to \(Limits.targets) users") }
    }

    private mutating func scanTarget(_ scanner: inout JSONScanner, _ position: Int) throws(JSONScanner.Malformed) {
        guard scanner.peek() == UInt8(ascii: "{") else {
            _ = try scanner.value(depth: Limits.jsonDepth - 2)
            return fault("/target/\(position)", "must be an object with id and login")
        }
        var id: JSONScanner.Value?
        var login: JSONScanner.Value?
        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            let value = try scanner.value(depth: Limits.jsonDepth - 3)
            if scanner.equals(name, "id") { id = value } else if scanner.equals(name, "login") { login = value }
        }
        guard targets.count < Limits.targets else { return }
        let parsedID = userID(id, scanner)
        if parsedID == nil {
            fault(
                "/target/\(position)/id",
                id == nil ? "is required" : limits.userIDs == .int ? User.numberRule : User.textRule
            )
        }
        let parsedLogin = login?.text.map(scanner.string)
        if let parsedID, let parsedLogin, User.isLogin(parsedLogin) {
            targets.append(User(id: parsedID, login: parsedLogin))
        } else if parsedLogin.map(User.isLogin) != true {
            fault("/target/\(position)/login", login == nil ? "is required" : User.loginRule)
        }
    }

    private func userID(_ value: JSONScanner.Value?, _ scanner: JSONScanner) -> UserID? {
        guard let value else { return nil }
        switch value.kind {
        case .number: return scanner.natural(value.range).map(UserID.number)
        case .string where limits.userIDs == .text:
            return value.text.map(scanner.string).flatMap { User.isTextID($0) ? .text($0) : nil }
        default: return nil
        }
    }
}

// MARK: - Content

extension NotifyRequestParser {
    mutating func build() -> NotifyRequest {
        var common = ByteBuffer()
        common.reserveCapacity(bytes.count + 96)
        common.writeStaticString("\"message\":")
        writeMessage(into: &common)
        common.writeStaticString(",\"created_at\":\"")
        common.writeString(createdAt().text)
        common.writeStaticString("\",\"source\":")
        if let source = text(.source, Limits.sourceBytes, allowsEmpty: true) {
            common.writeBytes(bytes[source.range])
        } else {
            common.writeStaticString("\"\"")
        }
        var optional = ByteBuffer()
        let type = first(.type, .eventType, .notificationType)
        write(.title, text(.title, Limits.titleBytes, allowsEmpty: true), into: &optional)
        let typeText = type.flatMap { text($0, Limits.typeBytes) }
        write(.type, typeText, into: &optional)
        write(.channel, text(.channel, Limits.channelBytes), into: &optional)
        write(.priority, priority(), into: &optional)
        write(.data, data(), into: &optional)
        let ttl = ttlSeconds()
        write(.ttlSeconds, ttl == nil ? nil : given(.ttlSeconds), into: &optional)
        let collapseKey = text(.collapseKey, Limits.collapseKeyBytes)
        write(.collapseKey, collapseKey, into: &optional)
        return NotifyRequest(
            targets: targets,
            content: NotificationContent(common: common, optional: optional),
            ttlSeconds: ttl,
            type: typeText?.text.map(JSONScanner(bytes).string),
            collapseKey: collapseKey?.text.map(JSONScanner(bytes).string)
        )
    }

    private func write(_ member: OptionalMember, _ value: JSONScanner.Value?, into buffer: inout ByteBuffer) {
        if let value { member.write(bytes[value.range], into: &buffer) }
    }

    private mutating func writeMessage(into buffer: inout ByteBuffer) {
        let content = given(.content)?.kind == .object ? nil : given(.content)
        guard let value = given(.message) ?? content else { return fault("/message", "is required") }
        let pointer = given(.message) == nil ? "/content" : "/message"
        guard let text = value.text else { return fault(pointer, "must be a string") }
        guard (1...limits.messageBytes).contains(text.decodedBytes) else {
            return fault(pointer, "must be 1 to \(limits.messageBytes) bytes long")
        }
        buffer.writeBytes(bytes[value.range])
    }

    private mutating func createdAt() -> Timestamp {
        guard let value = given(.createdAt) else { return .now() }
        if let text = value.text, let time = Timestamp(rfc3339: JSONScanner(bytes).string(text)) { return time }
        fault("/created_at", "must be an RFC 3339 date and time, such as 2024-01-01T12:00:00Z")
        return .now()
    }

    private mutating func text(_ member: Member, _ limit: Int, allowsEmpty: Bool = false) -> JSONScanner.Value? {
        guard let value = given(member) else { return nil }
        guard let text = value.text, text.decodedBytes <= limit, allowsEmpty || text.decodedBytes > 0 else {
            fault("/\(member.name)", "must be a string of \(allowsEmpty ? 0 : 1) to \(limit) bytes")
            return nil
        }
        return value
    }

    private mutating func priority() -> JSONScanner.Value? {
        guard let value = given(.priority) else { return nil }
        let words: [StaticString] = ["low", "medium", "high", "urgent"]
        guard let text = value.text, words.contains(where: { JSONScanner(bytes).equals(text, $0) }) else {
            fault("/priority", "must be low, medium, high or urgent")
            return nil
        }
        return value
    }

    private mutating func data() -> JSONScanner.Value? {
        let content = given(.content)?.kind == .object ? Member.content : nil
        guard let member = first(.data, .metadata) ?? content, let value = given(member) else { return nil }
        guard value.kind == .object, value.range.count <= limits.messageBytes else {
            fault("/\(member.name)", "must be an object of at most \(limits.messageBytes) bytes")
            return nil
        }
        return value
    }

    private mutating func ttlSeconds() -> Int? {
        guard let value = given(.ttlSeconds) else { return nil }
        if value.kind == .number, let seconds = JSONScanner(bytes).natural(value.range).flatMap(Int.init(exactly:)),
            Limits.ttlSeconds.contains(seconds)
        {
            return seconds
        }
        fault(
            "/ttl_seconds",
            "must be an integer from \(Limits.ttlSeconds.lowerBound) to \(Limits.ttlSeconds.upperBound)"
        )
        return nil
    }

    private func first(_ names: Member...) -> Member? { names.first { given($0) != nil } }
}
