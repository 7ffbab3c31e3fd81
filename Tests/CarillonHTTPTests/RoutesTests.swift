import CarillonHTTP
import Testing

@Suite struct RoutesTests {
    @Test func healthCalls() async throws {
        try await TestServer.with { server in
            let health = try await server.get("/health")
            #expect(health.status == 200)
            #expect(health["content-type"] == "application/json")
            #expect(health["cache-control"] == "no-store")
            #expect(health.body.hasPrefix("{\"status\":\"healthy\",\"timestamp\":\"20"))
            #expect(
                health.body.hasSuffix(
                    "Z\",\"pod_id\":\"p\",\"version\":\"1\",\"components\":{\"redis\":{\"status\":\"healthy\"}}}"
                )
            )
            let ready = try await server.get("/ready")
            #expect(ready.status == 503)
            #expect(ready["retry-after"] == "1")
            #expect(ready.body.contains("{\"redis\":{\"status\":\"unhealthy\",\"detail\":\"gone\"}}"))
            let metrics = try await server.get("/metrics")
            #expect(metrics.body == "carillon_up 1\n")
            #expect(metrics["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(try await server.get("/live").status == 200)
        }
    }

    @Test func adminCalls() async throws {
        try await TestServer.with { server in
            let clients = try await server.get("/api/v1/admin/clients?limit=5")
            #expect(clients["cache-control"] == "no-store")
            #expect(
                clients.body == """
                    {"clients":[{"id":9007199254740993,"login":"alice","pod_id":"pod\\"1","connection_id":"c1",\
                    "connected_at":"2024-01-01T12:00:00.123Z","transport":"websocket"}],"total":7,"next_cursor":"limit5"}
                    """
            )
            #expect(
                try await server.get("/api/v1/admin/users").body == """
                    {"users":[{"id":9007199254740993,"login":"alice","connections":2},\
                    {"id":"u-1","login":"b","connections":1}],"total":2}
                    """
            )
            #expect(
                try await server.get("/api/v1/admin/pending").body == """
                    {"pending_notifications":{"9007199254740993-alice":[{"id":"5-1","payload":{"a":1},"read":false},\
                    {"id":"5-1","payload":null,"read":true}]},"total_pending":2,"users_with_pending":1}
                    """
            )
            #expect(
                try await server.get("/api/v1/admin/history?user_id=1&login=a%2Bb").body == """
                    {"user":{"id":1,"login":"a+b"},"messages":[{"id":"5-1","payload":{"a":1},"read":true,\
                    "status":"read"}],"total":1}
                    """
            )
            #expect(try await server.get("/api/v1/admin/history?user_id=1&login=a+b").body.contains("\"a+b\""))
            let away = try await server.get("/api/v1/admin/history?user_id=1&login=away")
            #expect(away.status == 503)
            #expect(away["retry-after"] == "1")
        }
    }

    @Test(arguments: [
        ("limit=1", 200), ("limit=10000", 200), ("limit=0", 400), ("limit=10001", 400), ("limit=-1", 400),
        ("limit=%2B1", 400),
        ("limit=x", 400), ("limit=", 400), ("cursor=", 400), ("cursor=bad", 400), ("cursor=a%20b", 400),
        ("cursor=ok", 200),
        ("cursor=\(String(repeating: "c", count: 1_024))", 200),
        ("cursor=\(String(repeating: "c", count: 1_025))", 400),
    ])
    func pages(query: String, status: Int) async throws {
        try await TestServer.with { server in
            let answer = try await server.get("/api/v1/admin/clients?\(query)")
            #expect(answer.status == status)
            if status == 400 {
                #expect(answer.body.contains("\"errors\":[{\"pointer\":\"\(query.prefix { $0 != "=" })\""))
            }
        }
    }

    @Test(arguments: ["", "user_id=1", "login=a", "user_id=x&login=a", "user_id=1&login=%20", "user_id=1&login=%zz"])
    func historyParameters(query: String) async throws {
        try await TestServer.with { server in
            let answer = try await server.get("/api/v1/admin/history?\(query)")
            #expect(answer.status == 400)
            #expect(answer["content-type"] == "application/problem+json")
        }
    }

    @Test(arguments: [
        "/nothing", "/api/v1/notify/", "/api/v1/admin", "//health", "/health/", "/api//v1/notify", "/Health",
        "/%68ealth",
        "/index.html", "/", "/wss",
    ])
    func unknownPaths(path: String) async throws {
        try await TestServer.with { server in
            for method in ["GET", "POST", "DELETE", "OPTIONS", "BREW"] {
                let answer = try await server.get(path, method: method)
                #expect(answer.status == (method == "BREW" ? 400 : 404))
                #expect(answer["content-type"] == "application/problem+json")
                #expect(answer.body.contains("\"status_code\":\(answer.status)"))
            }
        }
    }

    @Test(arguments: [
        ("/api/v1/notify", "POST, OPTIONS"), ("/health", "GET, HEAD, OPTIONS"), ("/metrics", "GET, HEAD, OPTIONS"),
        ("/api/v1/admin/history", "GET, HEAD, OPTIONS"), ("/ws", "GET, HEAD, OPTIONS"),
    ])
    func otherMethods(path: String, allow: String) async throws {
        try await TestServer.with { server in
            for method in ["PUT", "DELETE", "PATCH", "PROPFIND"]
                + (path.hasSuffix("notify") ? ["GET", "HEAD"] : ["POST"])
            {
                let answer = try await server.get(path, method: method)
                #expect(answer.status == 405)
                #expect(answer["allow"] == allow)
                #expect(answer["content-type"] == "application/problem+json")
                #expect(answer.body.isEmpty == (method == "HEAD"))
            }
            let options = try await server.get(path + "?x", method: "OPTIONS")
            #expect(options.status == 204)
            #expect(options["allow"] == allow)
            #expect(options["content-length"] == nil)
        }
    }

    @Test func headIsGetWithoutBody() async throws {
        try await TestServer.with { server in
            for path in ["/live", "/metrics", "/api/v1/admin/users", "/nothing"] {
                let get = try await server.get(path)
                let client = try await WireClient(port: server.port)
                defer { client.close() }
                let head = "HEAD \(path) HTTP/1.1\r\nHost: x\r\n\r\n"
                try await client.send(head + head)
                for _ in 1...2 {
                    let answer = try await client.answer(toHead: true)
                    #expect(answer.status == get.status)
                    #expect(answer["content-length"] == "\(get.body.utf8.count)")
                    #expect(answer["content-type"] == get["content-type"])
                }
                #expect(client.received.isEmpty)
            }
        }
    }

    @Test func optionsForTheWholeServer() async throws {
        try await TestServer.with { server in
            let answer = try await server.get("*", method: "OPTIONS")
            #expect(answer.status == 204)
            #expect(answer["allow"] == "GET, HEAD, OPTIONS, POST")
        }
    }

    @Test(arguments: ["/api/v1/notifications", "/api/notifications"])
    func retention(base: String) async throws {
        try await TestServer.with { server in
            let path = "\(base)/retention?user_id=1&login="
            let answer = try await server.get(path + "a")
            #expect(answer.body == "{\"days\":7}")
            let known = try await server.get(path + "a", headers: "If-None-Match: \(answer["etag"] ?? "")\r\n")
            #expect(known.status == 304)
            for (body, status) in [
                ("{\"days\":1}", 200), ("{\"days\":15}", 200), ("{\"days\":0}", 422), ("{\"days\":16}", 422),
                ("{\"days\":\"7\"}", 422), ("{\"days\":7.0}", 422), ("{\"days\":-1}", 422), ("{\"days\":null}", 422),
                ("{\"days\":99999999999999999999}", 422), ("{}", 422), ("[7]", 422), ("7", 422), ("", 422),
                ("{\"days\":", 400),
            ] {
                let answer = try await server.ask(put(path + "a", body))
                #expect(answer.status == status, "\(body): \(answer.body)")
                if status == 200 {
                    #expect(answer.body == "{\"success\":true,\"message\":\"Retention set\",\(body.dropFirst())")
                }
            }
            #expect(try await server.ask(put(path + "a", "{\"days\":0}")).body.contains("\"pointer\":\"/days\""))
            #expect(try await server.ask(put(path + "a%20b", "{\"days\":7}")).status == 400)
            #expect(try await server.ask(put(path + "away", "{\"days\":7}")).status == 503)
            let text = put(path + "a", "{\"days\":7}").replacing("application/json", with: "text/plain")
            #expect(try await server.ask(text).status == 415)
        }
    }

    private func put(_ path: String, _ body: String) -> String {
        let type = body.isEmpty ? "" : "Content-Type: application/json\r\n"
        return "PUT \(path) HTTP/1.1\r\nHost: x\r\n\(type)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}
