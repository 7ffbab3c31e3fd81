import CarillonDomain
import Testing

@Suite struct QueryParametersTests {
    @Test(arguments: [
        ("user_id=1&login=alice", "login", "alice"),
        ("login=a+b", "login", "a+b"),
        ("login=a%2Bb", "login", "a+b"),
        ("login=a%2bb%40c", "login", "a+b@c"),
        ("login=first&login=second", "login", "first"),
        ("log%69n=alice", "login", "alice"),
        ("login", "login", ""),
        ("login=", "login", ""),
        ("login=a=b", "login", "a=b"),
        ("&&login=x&", "login", "x"),
        ("login=%C3%A9", "login", "é"),
    ])
    func found(query: String, name: String, value: String) {
        #expect(QueryParameters(query)[name] == value)
    }

    @Test(arguments: [
        "", "&", "=", "=alice", "Login=alice", "xlogin=alice", "login=%", "login=%4", "login=%zz", "login=%C3",
        "login=%zz&login=alice", "login=%+1", "log%zzin=alice",
    ])
    func absent(query: String) {
        #expect(QueryParameters(query)["login"] == nil)
    }

    @Test func takesSubstrings() {
        let target = "/ws?user_id=1"
        #expect(QueryParameters(target.dropFirst(4))["user_id"] == "1")
    }
}
