import CarillonDomain
import CarillonHTTP
import FoundationEssentials
import Synchronization
import Testing

/// What browsers are told about pages of other origins.
@Suite("Other origins")
struct CrossOriginTests {
    private static let app = "https://app.example"
    private static let preflight = "Origin: \(app)\r\nAccess-Control-Request-Method: PUT\r\n"

    private func with(_ origins: String?, _ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.with({ $0.allowedOrigins = origins.flatMap { AllowedOrigins($0) } }, body)
    }

    /// Everything in an answer that other origins, or caches, read.
    private func words(_ answer: Answer) -> [String: String] {
        let words = answer.headers.filter { $0.0.hasPrefix("access-control-") || $0.0 == "vary" }
        return Dictionary(words) { "\($0), \($1)" }
    }

    private func answer(_ origin: String) -> [String: String] {
        [
            "access-control-allow-origin": origin,
            "access-control-expose-headers": "ETag, Retry-After, Idempotent-Replayed",
        ]
    }

    @Test(
        "a pre-flight is answered wherever it goes",
        arguments: ["/api/v1/notify", "/api/v1/stream", "/live", "/nothing", "/carillon.js"]
    )
    func preflights(path: String) async throws {
        for (setting, allowed) in [("\(Self.app),http://other", Self.app), ("*", "*")] {
            try await with(setting) { server in
                let answer = try await server.get(path, method: "OPTIONS", headers: Self.preflight)
                #expect(answer.status == 204)
                #expect(
                    words(answer) == [
                        "access-control-allow-origin": allowed, "vary": "Origin", "access-control-max-age": "600",
                        "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
                        "access-control-allow-headers":
                            "Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Authorization",
                    ]
                )
            }
        }
    }

    @Test(
        "what is no pre-flight of an allowed origin is an ordinary OPTIONS",
        arguments: [
            "Origin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n", "Origin: \(app)\r\n",
            "Access-Control-Request-Method: PUT\r\n", "Origin: null\r\nAccess-Control-Request-Method: PUT\r\n", "",
        ]
    )
    func otherOptions(headers: String) async throws {
        try await with(Self.app) { server in
            let answer = try await server.get("/live", method: "OPTIONS", headers: headers)
            #expect(answer.status == 204)
            #expect(answer["allow"] == "GET, HEAD, OPTIONS")
            #expect(answer["access-control-allow-methods"] == nil)
            #expect(answer["vary"] == "Origin")
            #expect(try await server.get("/nothing", method: "OPTIONS", headers: headers).status == 404)
        }
    }

    private static let notify = post("a", "Origin: \(app)\r\n")

    @Test(
        "answers, errors included",
        arguments: [
            ("GET /live HTTP/1.1\r\nHost: x\r\nOrigin: \(app)\r\n\r\n", 200),
            ("HEAD /live HTTP/1.1\r\nHost: x\r\nOrigin: \(app)\r\n\r\n", 200),
            ("GET /nothing HTTP/1.1\r\nHost: x\r\nOrigin: \(app)\r\n\r\n", 404),
            ("PUT /live HTTP/1.1\r\nHost: x\r\nOrigin: \(app)\r\n\r\n", 405),
            ("GET /api/v1/admin/clients?cursor=bad HTTP/1.1\r\nHost: x\r\nOrigin: \(app)\r\n\r\n", 400),
            (notify, 202),
            // These the router never sees.
            (post(String(repeating: "x", count: 10_001), "Origin: \(app)\r\n"), 413),
            ("GET /live HTTP/1.1\r\nHost: x\r\nHost: y\r\nOrigin: \(app)\r\n\r\n", 400),
            ("GET /live HTTP/1.1\r\nHost: x\r\nExpect: x\r\nOrigin: \(app)\r\n\r\n", 417),
        ]
    )
    func answers(request: String, status: Int) async throws {
        try await with(Self.app) { server in
            let answer = try await server.ask(request)
            #expect(answer.status == status)
            #expect(words(answer) == self.answer(Self.app).merging(["vary": "Origin"]) { $1 })
            let evil = try await server.ask(request.replacing(Self.app, with: "https://evil.example"))
            #expect(evil.status == status)
            #expect(words(evil) == ["vary": "Origin"])
        }
        try await with("*") { server in
            let answer = try await server.ask(request)
            #expect(answer.status == status)
            #expect(words(answer) == self.answer("*"))
        }
        try await with(nil) { server in
            let answer = try await server.ask(request)
            #expect(answer.status == status)
            #expect(words(answer).isEmpty)
        }
    }

    @Test("files, also those that have not changed: scripts of other origins need it")
    func files() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "carillon-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("export {}".utf8).write(to: folder.appending(path: "a.js"))
        func configure(_ configuration: inout HTTPConfiguration) {
            configuration.webFolder = folder.path
            configuration.allowedOrigins = .only([Self.app])
        }
        try await TestServer.with(configure) { server in
            let origin = "Origin: \(Self.app)\r\n"
            let answer = try await server.get("/a.js", headers: origin)
            #expect(answer.status == 200)
            #expect(answer["access-control-allow-origin"] == Self.app)
            let tag = try #require(answer["etag"])
            let same = try await server.get("/a.js", headers: origin + "If-None-Match: \(tag)\r\n")
            #expect(same.status == 304)
            #expect(same["access-control-allow-origin"] == Self.app)
        }
    }

    @Test("event streams")
    func streams() async throws {
        try await with(Self.app) { server in
            _ = try await server.get("/api/v1/stream", headers: "Origin: \(Self.app)\r\n")
            let request = try #require(server.upgraded.streams.withLock { $0.first })
            #expect(request.answerLines.contains("access-control-allow-origin: \(Self.app)\r\n"))
            #expect(request.answerLines.contains("vary: Origin\r\n"))
        }
    }

    @Test("requests without an origin go their short way, and without the setting all do")
    func shortWay() async throws {
        try await with(Self.app) { server in
            let answer = try await server.ask(post("a"))
            #expect(answer.status == 202)
            #expect(words(answer).isEmpty)
        }
        try await with(nil) { server in
            let answer = try await server.ask(Self.notify)
            #expect(words(answer).isEmpty)
        }
    }
}
