internal import COpenSSL

/// One-shot hashes.
///
/// - Isolation: any thread
/// - Source: FIPS 180-4, through OpenSSL's EVP interface
package enum Digest {
    /// 20 bytes. For protocols that demand it (RFC 6455 §4.2.2), never for security.
    package static func sha1(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { hash(sha1Algorithm, 20, bytes) }

    /// 32 bytes.
    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { hash(sha256Algorithm, 32, bytes) }

    // Fetched once, because an implicit fetch searches the providers at every call.
    // SAFETY: a fetched EVP_MD is immutable and lives as long as the process; OpenSSL lets any thread use it.
    nonisolated(unsafe) private static let sha1Algorithm = fetch("SHA1")
    // SAFETY: as above.
    nonisolated(unsafe) private static let sha256Algorithm = fetch("SHA256")

    private static func fetch(_ name: String) -> OpaquePointer {
        guard let algorithm = EVP_MD_fetch(nil, name, nil) else { fatalError("OpenSSL has no \(name)") }
        return algorithm
    }

    private static func hash(
        _ algorithm: OpaquePointer,
        _ count: Int,
        _ bytes: UnsafeRawBufferPointer
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { output, written in
            let answer = EVP_Digest(bytes.baseAddress, bytes.count, output.baseAddress, nil, algorithm, nil)
            guard answer == 1 else { fatalError("OpenSSL cannot hash") }
            written = count
        }
    }
}
