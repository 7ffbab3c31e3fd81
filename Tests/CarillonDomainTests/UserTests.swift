import CarillonDomain
import Testing

@Suite struct UserTests {
    @Test(
        arguments: [
            (.number(0), "a", "0-a"), (.number(1), "alice", "1-alice"),
            (.number(.max), "a-b-c", "9223372036854775807-a-b-c"),
            (.text("abc"), "x", "abc-x"), (.text("a-b"), "x", "a%2Db-x"),
            (.text("a:b%c{d}e"), "x", "a%3Ab%25c%7Bd%7De-x"),
            (.text("%2D"), "-", "%252D--"), (.text("--"), "-", "%2D%2D--"), (.text("+5"), "x", "+5-x"),
            (.text("é😀"), "x", "é😀-x"),
            (.text("550e8400-e29b-41d4-a716-446655440000"), "x", "550e8400%2De29b%2D41d4%2Da716%2D446655440000-x"),
            (.text("99999999999999999999x"), "x", "99999999999999999999x-x"), (.text("1.5"), "x", "1.5-x"),
        ] as [(UserID, String, String)]
    )
    func keysRoundTrip(id: UserID, login: String, key: String) {
        let user = User(id: id, login: login)
        #expect(user.key.text == key)
        #expect("\(user.key)" == key)
        #expect(UserKey(text: key) == user.key)
        #expect(UserKey(text: key)?.user == user)
        #expect(user.key.login == login)
        #expect(!user.key.idPart.contains("-"))
        #expect(user.consumer == "user:\(user.key.idPart)")
    }

    @Test func noTwoUsersShareAKey() {
        let parts = ["a", "b", "-", "a-b", "b-c", "%", "2D", "%2D", ":", "{", "}", "é", "e\u{301}", "\u{e9}x"]
        var seen: [[UInt8]: String] = [:]
        for id in parts {
            for login in ["a", "b", "-", "a-b", "b-c", "c", "2D", "2D-a"] {
                let name = "\(Array(id.utf8)) \(login)"
                let key = User(id: .text(id), login: login).key
                #expect(seen[Array(key.text.utf8)] ?? name == name)
                seen[Array(key.text.utf8)] = name
                #expect(Array(key.user.key.text.utf8) == Array(key.text.utf8))
            }
        }
    }

    /// Redis compares keys byte by byte; a key that only looks the same is another user's.
    @Test func keysAreComparedByteByByte() {
        let composed = User(id: .text("\u{e9}"), login: "x")
        let decomposed = User(id: .text("e\u{301}"), login: "x")
        #expect(composed.key != decomposed.key)
        #expect(composed != decomposed)
        #expect(Set([composed.key, decomposed.key, composed.key]).count == 2)
    }

    @Test(arguments: ["", "-", "-a", "alice", "1"])
    func whatIsNoKey(text: String) {
        #expect(UserKey(text: text) == nil)
    }

    /// Another program may have written a key that this hub would not make.
    @Test(arguments: ["1-", "01-a", "%zz-a", "%-a", "%4-a", "+1-a", "%FF-a", "%+1-a", "a b-c d"])
    func foreignKeysAreTaken(text: String) throws {
        let key = try #require(UserKey(text: text))
        #expect(key.text == text)
        _ = key.user
    }

    @Test(
        arguments: [
            ("0", .int, .number(0)), ("1", .int, .number(1)), ("9223372036854775807", .int, .number(.max)),
            ("1", .text, .number(1)),
            ("a", .text, .text("a")), ("-1", .text, .text("-1")), ("+1", .text, .text("+1")), ("é", .text, .text("é")),
        ] as [(String, UserIDKind, UserID)]
    )
    func idsOfQueries(text: String, kind: UserIDKind, id: UserID) throws {
        #expect(try User.parse(id: text, login: "a", ids: kind) == User(id: id, login: "a"))
    }

    @Test(
        arguments: [
            (nil, .int), ("", .int), ("-1", .int), ("+1", .int), ("01", .int), ("00", .int), ("1.0", .int),
            ("1e3", .int), (" 1", .int),
            ("9223372036854775808", .int), ("a", .int), ("١", .int), (nil, .text), ("", .text), ("01", .text),
            ("a b", .text),
            ("9223372036854775808", .text), ("a\n", .text), ("\u{7f}", .text), ("\u{1}", .text),
        ] as [(String?, UserIDKind)]
    )
    func idsRefused(text: String?, kind: UserIDKind) {
        let problem = #expect(throws: Problem.self) { try User.parse(id: text, login: "a", ids: kind) }
        #expect(problem?.status == 400)
        #expect(problem?.fields.map(\.pointer) == ["user_id"])
    }

    @Test(arguments: [(127, true), (128, true), (129, false)])
    func lengthOfTextIDs(length: Int, isValid: Bool) {
        #expect(User.isTextID(String(repeating: "a", count: length)) == isValid)
        #expect(!User.isTextID(String(repeating: "1", count: length)))
    }

    @Test(arguments: [(0, false), (1, true), (63, true), (64, true), (65, false)])
    func lengthOfLogins(length: Int, isValid: Bool) {
        let login = String(repeating: "a", count: length)
        #expect(User.isLogin(login) == isValid)
        #expect(((try? User.parse(id: "1", login: login, ids: .int)) != nil) == isValid)
    }

    @Test func bytesOfLogins() {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@+-".utf8)
        for byte in UInt8.min...UInt8.max { #expect(User.isLoginByte(byte) == allowed.contains(byte)) }
        for login in ["é", "a b", "a:b", "a%b", "a/b", "a\u{0}", "ａ", "a\u{301}"] { #expect(!User.isLogin(login)) }
    }

    @Test func aMissingLoginIsNamed() {
        for login in [nil, "", "a b"] {
            let problem = #expect(throws: Problem.self) { try User.parse(id: "1", login: login, ids: .int) }
            #expect(problem?.fields.map(\.pointer) == ["login"])
        }
    }
}
