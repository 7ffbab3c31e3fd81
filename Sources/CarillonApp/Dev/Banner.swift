package import CarillonConfig
import CarillonDomain

/// The few lines with which a development server greets.
package struct Banner: Sendable {
    private let settings: Settings
    private let port: Int
    private let redis: DevRedis?

    /// - Parameters:
    ///   - port: The port that is really listened on.
    ///   - redis: What `--dev` started, if anything.
    package init(settings: Settings, port: Int, redis: DevRedis?) {
        self.settings = settings
        self.port = port
        self.redis = redis
    }

    /// Where a browser on this machine finds the web interface.
    package var url: String {
        guard let host = settings.listen.host, host != "0.0.0.0", host != "::" else {
            return "http://localhost:\(port)/"
        }
        return host.contains(":") ? "http://[\(host)]:\(port)/" : "http://\(host):\(port)/"
    }

    package var lines: [String] {
        let body = #"{"target":[{"id":1,"login":"alice"}],"message":"Hello"}"#
        let redisLine =
            if let redis {
                "own redis-server at \(redis.address), pid \(redis.pid), data in \(redis.dataFolder)"
            } else {
                "found at \(settings.redis.address)"
            }
        return [
            "Carillon \(CarillonVersion.text), pod \(settings.podID)",
            "  Redis  \(redisLine)",
            "  Open   \(url)",
            "  Send   curl \(url)api/v1/notify -H 'Content-Type: application/json' -d '\(body)'",
            "  Stop   Ctrl-C",
        ]
    }
}
