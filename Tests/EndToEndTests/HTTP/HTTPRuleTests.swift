import CarillonTestSupport
import Testing

/// Methods, paths, media types and problem documents.
@Suite("HTTP rules", .pod())
struct HTTPRuleTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private func expectProblem(_ answer: WireResponse, _ status: Int) throws {
        #expect(answer.status == status)
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
        let problem = try answer.json
        #expect(problem["type"]?.string != nil)
        #expect(problem["title"]?.string?.isEmpty == false)
        #expect(problem["detail"]?.string?.isEmpty == false)
        #expect(problem["status"] == .number("\(status)"))
        #expect(problem["status_code"] == .number("\(status)"))
        #expect(problem["error"]?.string?.wholeMatch(of: /[a-z0-9_]+/) != nil)
    }

    @Test("notify takes POST alone", arguments: ["GET", "PUT", "DELETE", "PATCH"])
    func notifyMethods(method: String) async throws {
        let answer = try await pod.http().request(method, "/api/v1/notify")
        try expectProblem(answer, 405)
        #expect(answer["Allow"]?.contains("POST") == true)
        #expect(answer["Allow"]?.contains("GET") == false)
    }

    @Test("OPTIONS says what a path takes", arguments: ["/api/v1/notify", "/health"])
    func options(path: String) async throws {
        let answer = try await pod.http().request("OPTIONS", path)
        #expect(answer.status == 204)
        #expect(answer["Allow"]?.contains(path == "/health" ? "GET" : "POST") == true)
    }

    @Test("HEAD on notify is 405 without a body")
    func headNotify() async throws {
        let http = try pod.http()
        let answer = try await http.request("HEAD", "/api/v1/notify")
        #expect(answer.status == 405)
        #expect(answer["Allow"]?.contains("POST") == true)
        #expect(try await http.request("GET", "/live").status == 200)
    }

    static let readable = [
        "/health", "/live", "/ready", "/metrics", "/api/v1/admin/clients", "/api/v1/admin/users",
        "/api/v1/admin/pending",
        "/api/v1/admin/history?user_id=1&login=alice", "/",
    ]

    @Test("what is read takes GET and HEAD", arguments: readable)
    func readableMethods(target: String) async throws {
        let http = try pod.http()
        // A pod that has just started is ready a moment later.
        try await wait(until: "\(target) answers 200") { try await http.request("GET", target).status == 200 }
        let head = try await http.request("HEAD", target)
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        for method in ["POST", "PUT", "DELETE"] {
            let answer = try await pod.http().request(method, target)
            try expectProblem(answer, 405)
            let allowed = answer["Allow"]?.split(separator: ",").map { $0.drop { $0 == " " } } ?? []
            #expect(allowed.contains("GET") && allowed.contains("HEAD"))
        }
    }

    @Test(
        "unknown paths are 404",
        arguments: ["/nope", "/api/v1/nope", "/api/v1/notify/x/y", "/api/v2/notify", "/health/x"]
    )
    func unknownPaths(target: String) async throws {
        try expectProblem(try await pod.get(target), 404)
        #expect(try await pod.http().request("POST", target, body: Array("{}".utf8)).status == 404)
    }

    @Test(
        "nothing outside the web folder is served",
        arguments: [
            "/../Package.swift", "/%2e%2e/Package.swift", "/..%2fPackage.swift", "/a/../../Package.swift",
            "/./../Package.swift",
            "/%2e%2e%2fPackage.swift", "/..%5cPackage.swift", "//etc/passwd", "/%2fetc/passwd",
            "/../../../../../../etc/passwd",
            "/index.html%00.txt",
        ]
    )
    func traversal(target: String) async throws {
        let answer = try await pod.get(target)
        #expect((400...404).contains(answer.status))
        #expect(!answer.text.contains("swift-tools-version") && !answer.text.contains("root:"))
    }

    @Test("the root serves the web page")
    func webPage() async throws {
        let answer = try await pod.get("/")
        #expect(answer.status == 200)
        #expect(answer["Content-Type"]?.hasPrefix("text/html") == true)
        #expect(answer.text.lowercased().contains("<html"))
    }

    @Test(
        "notify takes application/json",
        arguments: [
            "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON",
            "application/json ; charset=\"utf-8\"",
        ]
    )
    func json(type: String) async throws {
        let body = Array(notifyBody([TestUser()], "m").utf8)
        #expect(try await pod.post(body, headers: [("Content-Type", type)]).status == 202)
    }

    @Test(
        "and nothing else",
        arguments: ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json", "", "text/json"]
    )
    func notJSON(type: String) async throws {
        let body = Array(notifyBody([TestUser()], "m").utf8)
        try expectProblem(try await pod.post(body, headers: [("Content-Type", type)]), 415)
    }

    @Test("without a content type it is 415")
    func noType() async throws {
        let body = Array(notifyBody([TestUser()], "m").utf8)
        try expectProblem(try await pod.post(body, headers: []), 415)
    }

    @Test("header names are the same in any case")
    func headerCase() async throws {
        let body = Array(notifyBody([TestUser()], "m").utf8)
        #expect(try await pod.post(body, headers: [("cOnTeNt-TyPe", "application/json")]).status == 202)
    }

    @Test("a refused post leaves the connection usable")
    func connectionAfterRefusal() async throws {
        let http = try pod.http()
        let headers = [("Content-Type", "application/json")]
        #expect(try await pod.post(Array("{".utf8), on: http).status == 400)
        #expect(try await pod.post(Array("{}".utf8), headers: headers, on: http).status == 422)
        #expect(try await http.request("GET", "/nope").status == 404)
        #expect(try await pod.post(Array(notifyBody([TestUser()], "m").utf8), headers: headers, on: http).status == 202)
    }

    @Test("a query on notify does not matter")
    func queryOnNotify() async throws {
        let body = Array(notifyBody([TestUser()], "m").utf8)
        let headers = [("Content-Type", "application/json")]
        let answer = try await pod.http().request("POST", "/api/v1/notify?x=1", headers: headers, body: body)
        #expect(answer.status == 202)
    }

    /// Requests that two parsers could read differently: smuggling starts there.
    static let ambiguous = [
        "Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: +2\r\n", "Content-Length: 2x\r\n", "Content-Length: -1\r\n", "Content-Length : 2\r\n",
        "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "X: a\r\n folded\r\nContent-Length: 2\r\n",
        "Transfer-Encoding: xchunked\r\n",
    ]

    @Test("ambiguous framing is refused and the connection closed", arguments: ambiguous)
    func ambiguousFraming(fields: String) async throws {
        let http = try pod.http()
        let head = "POST /api/v1/notify HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\(fields)\r\n{}"
        try await http.stream.send(Array(head.utf8))
        do {
            let answer = try await http.response(to: "POST")
            #expect([400, 411, 413, 501].contains(answer.status))
        } catch WireError.closed {}
        #expect(try await http.closes())
    }
}
