import Foundation

/// A TLS server of another make (Python's ssl module), with certificates made by the `openssl` command.
final class TLSServer: Sendable {
    enum Behaviour: String {
        /// Echoes until the client says close_notify, then prints `clean`, or `cut` where it did not.
        case echo
        /// Says `bye` and close_notify.
        case bye
        /// Says `bye` and closes the socket without close_notify.
        case cut
    }

    enum Certificate: String {
        /// For `localhost` and 127.0.0.1.
        case valid
        case expired
    }

    let port: Int
    private let process: Process
    private let output: FileHandle

    init(_ behaviour: Behaviour, certificate: Certificate = .valid, files: Certificates) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", Self.script, files.path("\(certificate.rawValue).pem"), files.path("key.pem"),
            behaviour.rawValue,
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        output = pipe.fileHandleForReading
        port = Int(Self.line(output)) ?? 0
    }

    deinit {
        // SIGTERM is blocked in children of a dispatch thread, and they inherit that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// What the server says about its last connection; waits for it.
    func verdict() -> String { Self.line(output) }

    private static func line(_ handle: FileHandle) -> String {
        var text = ""
        while let byte = try? handle.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            text.unicodeScalars.append(Unicode.Scalar(byte))
        }
        return text
    }

    private static let script = """
        import socket, ssl, sys
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        context.suppress_ragged_eofs = False
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        while True:
            plain, _ = listener.accept()
            try:
                tls = context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
            except (ssl.SSLError, OSError) as error:
                print("refused", getattr(error, "reason", error), flush=True)
                continue
            try:
                if sys.argv[3] == "echo":
                    while data := tls.recv(65536):
                        tls.sendall(data)
                    print("clean", flush=True)
                    tls.close()
                else:
                    tls.sendall(b"bye")
                    if sys.argv[3] == "bye":
                        tls = tls.unwrap()
                        print("clean", flush=True)
                    tls.close()
            except (ssl.SSLError, OSError) as error:
                print("cut", flush=True)
        """
}

/// A certificate authority and server certificates in a temporary folder, which goes with the object.
final class Certificates: Sendable {
    private let folder: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("carillon-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-ec", Self.script]
        process.currentDirectoryURL = url
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    private static let script = """
        key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        openssl req -x509 $key -keyout ca.key -out ca.pem -days 2 -subj "/CN=Test CA"
        openssl req -x509 $key -keyout other.key -out other.pem -days 2 -subj "/CN=Other CA"
        openssl req $key -keyout key.pem -out request.pem -subj "/CN=localhost"
        echo "subjectAltName=DNS:localhost,IP:127.0.0.1" > names
        openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out valid.pem
        mkdir -p ca && : > ca/index
        printf '%s\\n' '[ca]' 'default_ca=d' '[d]' 'database=ca/index' 'new_certs_dir=ca' 'rand_serial=yes' \
          'default_md=sha256' 'policy=p' 'x509_extensions=e' '[p]' 'commonName=supplied' \
          '[e]' 'subjectAltName=DNS:localhost,IP:127.0.0.1' > ca.cnf
        openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in request.pem -out expired.pem \
          -startdate 20200101000000Z -enddate 20200102000000Z
        """
}
