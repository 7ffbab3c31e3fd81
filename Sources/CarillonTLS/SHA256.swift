internal import COpenSSL

/// SHA-256 of bytes that come in pieces.
///
/// - Isolation: the caller's; not to be shared
/// - Source: FIPS 180-4, through OpenSSL's EVP interface
package final class SHA256 {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new() else { fatalError("out of memory") }
        self.context = context
        start()
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { fatalError("OpenSSL cannot hash") }
    }

    /// The 32 bytes of the hash; the object starts anew.
    package func finalize() -> [UInt8] {
        let digest = [UInt8](unsafeUninitializedCapacity: 32) { output, written in
            guard EVP_DigestFinal_ex(context, output.baseAddress, nil) == 1 else { fatalError("OpenSSL cannot hash") }
            written = 32
        }
        start()
        return digest
    }

    private func start() {
        guard EVP_DigestInit_ex(context, Digest.sha256Algorithm, nil) == 1 else { fatalError("OpenSSL cannot hash") }
    }
}

@available(*, unavailable)
extension SHA256: Sendable {}
