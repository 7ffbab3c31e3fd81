import CarillonHTTP
import Foundation
import Testing

@Suite struct StaticFilesTests {
    /// A web folder with a secret beside it.
    private func withFolder(_ body: (TestServer, URL) async throws -> Void) async throws {
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("carillon-\(UUID().uuidString)")
        let web = base.appendingPathComponent("web")
        try FileManager.default.createDirectory(
            at: web.appendingPathComponent("assets"),
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(at: base) }
        for (name, text) in [
            ("secret.txt", "secret"), ("web/index.html", "<h1>"), ("web/app.js", "js"), ("web/a b.css", "css"),
            ("web/.hidden", "secret"), ("web/assets/x.svg", "svg"), ("web/assets/.env", "secret"), ("web/data", "raw"),
            ("web/back\\slash.txt", "secret"),
        ] {
            try Data(text.utf8).write(to: base.appendingPathComponent(name))
        }
        for (link, target) in [("out.txt", "../secret.txt"), ("up", ".."), ("in.js", "app.js")] {
            try FileManager.default.createSymbolicLink(
                atPath: web.appendingPathComponent(link).path,
                withDestinationPath: target
            )
        }
        try await TestServer.with({ $0.webFolder = web.path }, { try await body($0, web) })
    }

    @Test func servesFiles() async throws {
        try await withFolder { server, _ in
            for (path, type, text) in [
                ("/", "text/html; charset=utf-8", "<h1>"), ("/index.html", "text/html; charset=utf-8", "<h1>"),
                ("/app.js?v=1", "text/javascript; charset=utf-8", "js"),
                ("/in.js", "text/javascript; charset=utf-8", "js"),
                ("/a%20b.css", "text/css; charset=utf-8", "css"), ("/assets/x.svg", "image/svg+xml", "svg"),
                ("/data", "application/octet-stream", "raw"), ("/app%2Ejs", "text/javascript; charset=utf-8", "js"),
            ] {
                let answer = try await server.get(path)
                #expect(answer.status == 200)
                #expect(answer.body == text)
                #expect(answer["content-type"] == type)
                #expect(answer["x-content-type-options"] == "nosniff")
                #expect(answer["cache-control"] == "no-cache")
                #expect((answer["content-security-policy"] != nil) == type.hasPrefix("text/html"))
                #expect((answer["referrer-policy"] != nil) == type.hasPrefix("text/html"))
                let head = try await server.get(path, method: "HEAD")
                #expect(head.status == 200)
                #expect(head["content-length"] == "\(text.utf8.count)")
            }
        }
    }

    @Test func neverLeavesTheFolder() async throws {
        try await withFolder { server, _ in
            for path in [
                "/../secret.txt", "/%2e%2e/secret.txt", "/.%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt",
                "/assets/../../secret.txt", "/assets/../app.js", "/./app.js", "/assets%2fx.svg", "/..\\secret.txt",
                "/..%5csecret.txt", "/back%5cslash.txt", "/back\\slash.txt", "/app.js%00", "/app.js%00.html", "/%00",
                "/.hidden",
                "/%2ehidden", "/assets/.env", "/out.txt", "/up/secret.txt", "/assets", "/assets/",
                "/app.js/",
                "//app.js", "/app.js%", "/app.js%zz", "/%c3", "/%ff", "/nothing", "/%252e%252e/secret.txt",
                "/app.js%0a",
                "http://x/../secret.txt", "/data/x",
            ] {
                let answer = try await server.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(!answer.body.contains("secret\""), "\(path)")
            }
        }
    }

    @Test func validators() async throws {
        try await withFolder { server, web in
            let first = try await server.get("/app.js")
            let tag = try #require(first["etag"])
            let date = try #require(first["last-modified"])
            for header in [
                "If-None-Match: \(tag)\r\n", "If-None-Match: \"x\", W/\(tag)\r\n", "If-None-Match: *\r\n",
                "If-Modified-Since: \(date)\r\n",
            ] {
                let again = try await server.get("/app.js", headers: header)
                #expect(again.status == 304)
                #expect(again["etag"] == tag)
            }
            for header in ["If-None-Match: \"x\"\r\n", "If-None-Match: \"x\"\r\nIf-Modified-Since: \(date)\r\n"] {
                #expect(try await server.get("/app.js", headers: header).status == 200)
            }
            try Data("changed".utf8).write(to: web.appendingPathComponent("app.js"))
            let changed = try await server.get("/app.js", headers: "If-None-Match: \(tag)\r\n")
            #expect(changed.status == 200)
            #expect(changed.body == "changed")
        }
    }

    @Test func methods() async throws {
        try await withFolder { server, _ in
            let answer = try await server.get("/app.js", method: "POST")
            #expect(answer.status == 405)
            #expect(answer["allow"] == "GET, HEAD, OPTIONS")
            #expect(try await server.get("/", method: "OPTIONS").status == 204)
            #expect(try await server.get("/out.txt", method: "POST").status == 404)
        }
    }
}
