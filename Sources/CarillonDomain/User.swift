/// The number or text that an application knows a user by.
package enum UserID: Hashable, Sendable {
    /// 0...2^63-1, decimal digits in queries and keys, a number in JSON.
    case number(Int64)
    /// Only under `USER_IDS=text`; never all digits, so that it cannot be mistaken for a number.
    case text(String)
}

/// What identifiers the hub takes (`USER_IDS`).
package enum UserIDKind: String, Sendable, CaseIterable {
    case int
    case text
}

/// One addressee: `{"id": 1, "login": "alice"}`.
package struct User: Hashable, Sendable {
    package let id: UserID
    package let login: String
    package let key: UserKey

    package init(id: UserID, login: String) {
        self.id = id
        self.login = login
        self.key = UserKey(id: id, login: login)
    }

    /// The consumer of the group `notifications` in this user's stream.
    package var consumer: String { "user:\(key.idPart)" }
}

/// The part of every Redis key that names a user: `1-alice`.
///
/// The id comes first and never holds a `-` (a text id has it percent-encoded), so the first `-` always splits.
package struct UserKey: Hashable, Sendable {
    package let text: String

    package init(id: UserID, login: String) {
        switch id {
        case .number(let number): text = "\(number)-\(login)"
        case .text(let id): text = "\(Self.encode(id))-\(login)"
        }
    }

    /// Takes a key part as found in Redis; nil where it cannot be one of ours.
    package init?(text: some StringProtocol) {
        guard let dash = text.utf8.firstIndex(of: UInt8(ascii: "-")), dash > text.startIndex else { return nil }
        self.text = String(text)
    }

    /// The id as it stands in keys.
    package var idPart: Substring {
        text[..<(text.utf8.firstIndex(of: UInt8(ascii: "-")) ?? text.endIndex)]
    }

    package var login: Substring {
        guard let dash = text.utf8.firstIndex(of: UInt8(ascii: "-")) else { return "" }
        return text[text.utf8.index(after: dash)...]
    }

    package var user: User {
        let part = idPart
        if let number = Int64(part), !part.hasPrefix("+") { return User(id: .number(number), login: String(login)) }
        return User(id: .text(Self.decode(part)), login: String(login))
    }

    private static let reserved: Set<UInt8> = Set("-:%{}".utf8)
    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    private static func encode(_ id: String) -> String {
        guard id.utf8.contains(where: reserved.contains) else { return id }
        var bytes: [UInt8] = []
        for byte in id.utf8 {
            if reserved.contains(byte) {
                bytes += [UInt8(ascii: "%"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decode(_ part: Substring) -> String {
        guard part.utf8.contains(UInt8(ascii: "%")) else { return String(part) }
        var bytes: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UserKey {
    /// Byte by byte, as Redis does it: texts that only look the same are keys of two users.
    package static func == (left: UserKey, right: UserKey) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
}

extension UserKey: CustomStringConvertible {
    package var description: String { text }
}

extension User {
    /// Reads `user_id` and `login` as they stand in a query string, already percent-decoded.
    ///
    /// - Throws: `Problem` with a pointer to the parameter that is missing or wrong.
    package static func parse(id: String?, login: String?, ids: UserIDKind) throws(Problem) -> User {
        guard let id, !id.isEmpty else { throw .badParameter("user_id", "is required") }
        guard let login, !login.isEmpty else { throw .badParameter("login", "is required") }
        guard isLogin(login) else { throw .badParameter("login", Self.loginRule) }
        if let number = number(id) { return User(id: .number(number), login: login) }
        guard ids == .text, isTextID(id) else {
            throw .badParameter("user_id", ids == .int ? Self.numberRule : Self.textRule)
        }
        return User(id: .text(id), login: login)
    }

    package static let numberRule = "an id is an integer from 0 to 9223372036854775807"
    package static let textRule = "an id is such an integer, or text of 1 to 128 bytes that is not all digits"
    package static let loginRule = "a login is 1 to 64 ASCII letters, digits or any of _ . @ + -"

    package static func isLogin(_ text: String) -> Bool {
        let bytes = text.utf8
        return (1...Limits.loginBytes).contains(bytes.count) && bytes.allSatisfy(isLoginByte)
    }

    package static func isLoginByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "@"),
            UInt8(ascii: "+"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Text ids hold no control characters and no spaces, and at least one byte that is no digit.
    package static func isTextID(_ text: String) -> Bool {
        let bytes = text.utf8
        return (1...Limits.textIDBytes).contains(bytes.count)
            && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f }
            && !bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Decimal digits only, without a sign; leading zeros are refused, because `01` and `1` must not be two users.
    static func number(_ text: String) -> Int64? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        guard text == "0" || !text.hasPrefix("0") else { return nil }
        return Int64(text)
    }
}
