package import NIOCore

/// A stored payload taken apart for listings: each member as the JSON text that stands in the document.
///
/// Members of the wrong type count as not given, as in pushes.
package struct StoredPayload: Sendable {
    private let members: [String: JSONText]
    /// The user it was for; nil where the document names none.
    package let target: User?
    /// The topic that it was for; nil where the document names none.
    package let audience: Topic?

    private struct JSONText: Sendable {
        let kind: JSONScanner.Kind
        let json: String
        /// A string unescaped.
        let text: String?
    }

    /// Nil where the document is not a JSON object.
    package init?(_ payload: ByteBuffer) {
        let parsed = payload.withUnsafeReadableBytes(Self.scan)
        guard let parsed else { return nil }
        (members, target, audience) = parsed
    }

    private static func scan(_ bytes: UnsafeRawBufferPointer) -> ([String: JSONText], User?, Topic?)? {
        var members: [String: JSONText] = [:]
        var target: User?
        var audience: Topic?
        var scanner = JSONScanner(bytes)
        do throws(JSONScanner.Malformed) {
            scanner.skipSpace()
            try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
                let start = scanner.index
                let value = try scanner.value()
                if value.kind == .object, scanner.equals(name, "target") {
                    var inner = scanner
                    inner.move(to: start)
                    target = try user(&inner)
                    return
                }
                if value.kind == .object, scanner.equals(name, "audience") {
                    var inner = scanner
                    inner.move(to: start)
                    audience = try topic(&inner)
                    return
                }
                members[scanner.string(name)] = JSONText(
                    kind: value.kind,
                    json: String(decoding: bytes[value.range], as: UTF8.self),
                    text: value.text.map(scanner.string)
                )
            }
            try scanner.end()
        } catch {
            return nil
        }
        return (members, target, audience)
    }

    private static func topic(_ scanner: inout JSONScanner) throws(JSONScanner.Malformed) -> Topic? {
        var topic: Topic?
        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            let value = try scanner.value()
            if scanner.equals(name, "all") { topic = .everybody }
            if scanner.equals(name, "channel") { topic = value.text.flatMap { Topic(scanner.string($0)) } }
        }
        return topic
    }

    private static func user(_ scanner: inout JSONScanner) throws(JSONScanner.Malformed) -> User? {
        var id: UserID?
        var login: String?
        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            let value = try scanner.value()
            if scanner.equals(name, "login") { login = value.text.map(scanner.string) }
            guard scanner.equals(name, "id") else { return }
            id =
                value.kind == .number
                ? scanner.natural(value.range).map(UserID.number) : value.text.map { .text(scanner.string($0)) }
        }
        guard let id, let login else { return nil }
        return User(id: id, login: login)
    }

    /// A member's JSON text; nil where it is missing or of another type.
    package func json(_ name: String, _ kind: JSONScanner.Kind) -> String? {
        members[name].flatMap { $0.kind == kind ? $0.json : nil }
    }

    /// What makes a text no JSON, and where; nil where it is JSON.
    package static func fault(in text: ByteBuffer) -> String? {
        text.withUnsafeReadableBytes { bytes in
            var scanner = JSONScanner(bytes)
            scanner.skipSpace()
            do throws(JSONScanner.Malformed) {
                _ = try scanner.value()
                try scanner.end()
                return nil
            } catch {
                return "\(error.reason) at byte \(error.offset)"
            }
        }
    }

    package func has(_ name: String) -> Bool { members[name] != nil }

    /// A string member, unescaped.
    package func text(_ name: String) -> String? { members[name]?.text }
}
