import Foundation

/// A redis-server that speaks TLS on a second port, with a certificate of an authority of its own, made on the spot.
package struct RedisTLSProcess: Sendable {
    /// Its other port speaks no TLS.
    package let redis: RedisProcess
    package let port: Int
    private let folder: URL

    /// PEM file of the authority that signed the certificate.
    package var authority: String { folder.appending(path: "ca.crt").path() }

    /// Starts a server.
    ///
    /// - Parameter name: The certificate's subject alternative names, such as `DNS:localhost,IP:127.0.0.1`.
    package static func start(name: String) async throws -> RedisTLSProcess {
        let folder = FileManager.default.temporaryDirectory.appending(path: "carillon-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        let authority = ["req", "-x509", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Test Authority"]
        try await openssl(in: folder, authority + key)
        let certificate = [
            "req", "-x509", "-keyout", "redis.key", "-out", "redis.crt", "-subj", "/CN=redis",
            "-CA", "ca.crt", "-CAkey", "ca.key",
            "-addext", "subjectAltName=\(name)", "-addext", "basicConstraints=critical,CA:FALSE",
        ]
        try await openssl(in: folder, certificate + key)
        let port = try BuiltProgram.freePort()
        let path = { (file: String) in folder.appending(path: file).path() }
        let redis = try await RedisProcess.start([
            "--tls-port", "\(port)", "--tls-cert-file", path("redis.crt"), "--tls-key-file", path("redis.key"),
            "--tls-ca-cert-file", path("ca.crt"), "--tls-auth-clients", "no",
        ])
        return RedisTLSProcess(redis: redis, port: port, folder: folder)
    }

    package func stop() async {
        await redis.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func openssl(in folder: URL, _ arguments: [String]) async throws {
        let process = try ChildProcess("/usr/bin/env", ["openssl"] + arguments, directory: folder.path())
        guard try await process.exit(within: .seconds(30)) == 0 else {
            throw RedisProcess.Failure(description: "openssl \(arguments[0]) failed: \(process.standardError)")
        }
    }
}
