internal import COpenSSL
internal import NIOCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// One OpenSSL connection between two memory buffers: bytes in, bytes out, no socket.
///
/// - Isolation: the event loop of the channel it serves
/// - Source: OpenSSL ssl(7), BIO_s_mem(3)
final class TLSEngine {
    enum Progress {
        case done
        /// The peer has to say more first.
        case wantsMore
        /// The peer said close_notify; it will say no more.
        case peerClosed
        case failed(TLSError)
    }

    /// The numbers behind macros that Swift cannot import (openssl/ssl.h, openssl/tls1.h, openssl/bio.h).
    private enum Command {
        static let setMode: Int32 = 33  // SSL_CTRL_MODE
        static let setServerName: Int32 = 55  // SSL_CTRL_SET_TLSEXT_HOSTNAME
        static let setMinimumVersion: Int32 = 123  // SSL_CTRL_SET_MIN_PROTO_VERSION
        static let setEmptyReadResult: Int32 = 130  // BIO_C_SET_BUF_MEM_EOF_RETURN
    }

    private static let releaseBuffersMode = 0x10  // SSL_MODE_RELEASE_BUFFERS
    private static let noRenegotiation: UInt64 = 1 << 30  // SSL_OP_NO_RENEGOTIATION
    private static let noPartialWildcards: UInt32 = 0x4  // X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
    private static let largestRecord = 16_384

    private let connection: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let serverHostname: String

    init(configuration: TLSClientConfiguration, serverHostname: String) throws(TLSError) {
        self.serverHostname = serverHostname
        let context = try Self.makeContext(configuration)
        // The connection holds a reference of its own.
        defer { SSL_CTX_free(context) }
        guard let connection = SSL_new(context), let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem())
        else { throw .fromQueue(.configuration, "OpenSSL cannot make a connection") }
        self.connection = connection
        self.input = input
        self.output = output
        // An empty buffer means "not yet", not "never again".
        BIO_ctrl(input, Command.setEmptyReadResult, -1, nil)
        BIO_ctrl(output, Command.setEmptyReadResult, -1, nil)
        SSL_set_bio(connection, input, output)
        SSL_set_connect_state(connection)
        try Self.setName(serverHostname, on: connection, verify: configuration.verify)
    }

    deinit { SSL_free(connection) }

    private static func makeContext(_ configuration: TLSClientConfiguration) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw .fromQueue(.configuration, "OpenSSL cannot make a context")
        }
        SSL_CTX_ctrl(context, Command.setMinimumVersion, Int(TLS1_2_VERSION), nil)
        SSL_CTX_ctrl(context, Command.setMode, releaseBuffersMode, nil)
        SSL_CTX_set_options(context, noRenegotiation)
        guard configuration.verify else {
            SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
            return context
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let file = configuration.caFile {
            guard SSL_CTX_load_verify_file(context, file) == 1 else {
                SSL_CTX_free(context)
                throw .fromQueue(.configuration, "cannot read certificates from \(file)")
            }
        } else if SSL_CTX_set_default_verify_paths(context) != 1 {
            SSL_CTX_free(context)
            throw .fromQueue(.configuration, "cannot read the system's trusted certificates")
        }
        return context
    }

    private static func setName(_ name: String, on connection: OpaquePointer, verify: Bool) throws(TLSError) {
        guard !name.isEmpty, !name.utf8.contains(0) else {
            throw TLSError(.configuration, "a TLS connection needs a host name")
        }
        let parameters = SSL_get0_param(connection)
        if isAddress(name) {
            // RFC 6066 §3: no server name for literal addresses.
            guard !verify || X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 else {
                throw .fromQueue(.configuration, "\(name) is no address")
            }
            return
        }
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        let named = name.withCString { pointer in
            SSL_ctrl(connection, Command.setServerName, 0, UnsafeMutableRawPointer(mutating: pointer))
        }
        guard named == 1 else { throw .fromQueue(.configuration, "\(name) is no host name") }
        guard verify else { return }
        X509_VERIFY_PARAM_set_hostflags(parameters, noPartialWildcards)
        guard X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1 else {
            throw .fromQueue(.configuration, "\(name) is no host name")
        }
    }

    private static func isAddress(_ name: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
    }

    // MARK: Handshake

    func handshake() -> Progress {
        ERR_clear_error()
        let answer = SSL_do_handshake(connection)
        if answer == 1 { return .done }
        if SSL_get_error(connection, answer) == SSL_ERROR_WANT_READ { return .wantsMore }
        return .failed(handshakeError())
    }

    private func handshakeError() -> TLSError {
        let result = SSL_get_verify_result(connection)
        guard result != Int(X509_V_OK), SSL_get_verify_mode(connection) != SSL_VERIFY_NONE else {
            return .fromQueue(.handshake, "the TLS handshake failed")
        }
        ERR_clear_error()
        let reason =
            switch Int32(result) {
            case X509_V_ERR_HOSTNAME_MISMATCH: "host name mismatch, the certificate is not for \(serverHostname)"
            case X509_V_ERR_IP_ADDRESS_MISMATCH: "address mismatch, the certificate is not for \(serverHostname)"
            default: String(cString: X509_verify_cert_error_string(result))
            }
        return TLSError(.certificate, "certificate verify failed: \(reason)")
    }

    // MARK: Records

    /// Takes what came from the socket.
    func receive(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { bytes in
            guard !bytes.isEmpty else { return }
            var written = 0
            let answer = BIO_write_ex(input, bytes.baseAddress, bytes.count, &written)
            precondition(answer == 1 && written == bytes.count, "a memory buffer takes every byte")
        }
    }

    /// Appends everything that can be decrypted now.
    func decrypt(into buffer: inout ByteBuffer) -> Progress {
        while true {
            ERR_clear_error()
            var answer: Int32 = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.largestRecord) { space in
                var count = 0
                answer = SSL_read_ex(connection, space.baseAddress, space.count, &count)
                return answer == 1 ? count : 0
            }
            if answer == 1 { continue }
            switch SSL_get_error(connection, answer) {
            case SSL_ERROR_WANT_READ: return .wantsMore
            case SSL_ERROR_ZERO_RETURN: return .peerClosed
            default: return .failed(.fromQueue(.protocolViolation, "TLS read failed"))
            }
        }
    }

    /// Makes records of `bytes`; they wait for `takeOutput`.
    func encrypt(_ bytes: ByteBuffer) throws(TLSError) {
        ERR_clear_error()
        let answer: Int32 = bytes.withUnsafeReadableBytes { bytes in
            // OpenSSL refuses to write nothing.
            guard !bytes.isEmpty else { return 1 }
            var written = 0
            return SSL_write_ex(connection, bytes.baseAddress, bytes.count, &written)
        }
        guard answer == 1 else { throw .fromQueue(.protocolViolation, "TLS write failed") }
    }

    func sayClose() {
        ERR_clear_error()
        SSL_shutdown(connection)
        ERR_clear_error()
    }

    /// Everything that waits to go to the socket, in one buffer; nil when there is nothing.
    func takeOutput(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        let count = BIO_ctrl_pending(output)
        guard count > 0 else { return nil }
        var buffer = allocator.buffer(capacity: count)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            var read = 0
            BIO_read_ex(output, space.baseAddress, count, &read)
            return read
        }
        return buffer
    }
}

@available(*, unavailable)
extension TLSEngine: Sendable {}
