internal import CarillonLoad
internal import CarillonTestSupport
internal import Foundation

/// nchan (Debian's `libnginx-mod-nchan`) with Redis storage: a channel per user that keeps 100 messages for 15 minutes.
///
/// - Source: https://nchan.io, "Directives" and "Websocket"
actor NchanHub: Hub {
    nonisolated let name = "nchan"
    private var redisProcess: RedisProcess?
    private var nginx: ChildProcess?
    private var folder = URL(filePath: "/")
    private var port = 0

    private static let module = "/usr/lib/nginx/modules/ngx_nchan_module.so"

    /// Nil where it is installed; else what is missing.
    static var missing: String? {
        let isThere = FileManager.default.fileExists(atPath: module) && InstalledProgram.path("nginx") != nil
        return isThere ? nil : "nchan is not installed (nginx-light libnginx-mod-nchan)"
    }

    func start() async throws {
        let redis = try await RedisProcess.startForBench()
        redisProcess = redis
        port = try BuiltProgram.freePort()
        folder = FileManager.default.temporaryDirectory.appending(path: "carillon-nchan-\(port)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try configuration(redisPort: redis.port).write(
            to: folder.appending(path: "nginx.conf"),
            atomically: true,
            encoding: .utf8
        )
        try await restart()
    }

    func crash() {
        // The worker first: it would outlive its master.
        for pid in workers.reversed() { Glibc.kill(pid, SIGKILL) }
        nginx?.kill()
    }

    func restart() async throws {
        nginx = try ChildProcess(
            InstalledProgram.path("nginx") ?? "nginx",
            ["-p", folder.path, "-c", "nginx.conf", "-e", "error.log"]
        )
        try await wait(until: "nginx serves") {
            guard let connection = try? HTTPConnection(port: port) else { return false }
            return try await connection.request("GET", "/health").status == 200
        }
    }

    func stop() async {
        crash()
        nginx = nil
        await redisProcess?.stop()
        redisProcess = nil
        try? FileManager.default.removeItem(at: folder)
    }

    func wire(_ shape: LoadShape) -> HubWire {
        let address = LoadAddress.loopback(port: port)
        return HubWire(
            subscribers: [address],
            publishers: [address],
            target: Template("/sub/u<user>"),
            headers: "Sec-WebSocket-Protocol: ws+meta.nchan\r\n",
            resume: .nchan,
            publishing: .http(
                path: Template("/pub/u<user>"),
                body: Template(#"{"message":"<message>","source":"bench"}"#)
            )
        )
    }

    func processes() -> ProcessMeter? { nginx.map { ProcessMeter(pids: [$0.processID] + workers) } }

    func redis() -> [RedisProcess] { redisProcess.map { [$0] } ?? [] }

    /// The processes that nginx's master has started.
    private var workers: [Int32] {
        guard let pid = nginx?.processID else { return [] }
        let children = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return children.split(separator: " ").compactMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    private func configuration(redisPort: Int) -> String {
        """
        daemon off;
        pid nginx.pid;
        error_log error.log error;
        worker_processes 1;
        worker_rlimit_nofile 20000;
        load_module \(Self.module);
        events { worker_connections 19900; multi_accept on; }
        http {
            access_log off;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
            keepalive_requests 100000000;
            keepalive_timeout 1h;
            nchan_shared_memory_size 1024M;
            upstream storage { nchan_redis_server 127.0.0.1:\(redisPort); }
            nchan_message_buffer_length 100;
            nchan_message_timeout 15m;
            server {
                listen 127.0.0.1:\(port) backlog=4096;
                location = /health { return 200; }
                location ~ ^/pub/(\\w+)$ {
                    nchan_publisher;
                    nchan_channel_id $1;
                    nchan_redis_pass storage;
                }
                location ~ ^/sub/(\\w+)$ {
                    nchan_subscriber websocket;
                    nchan_channel_id $1;
                    nchan_redis_pass storage;
                    nchan_subscriber_first_message newest;
                    nchan_subscriber_last_message_id $arg_last_event_id;
                    nchan_subscriber_timeout 0;
                }
            }
        }

        """
    }
}
