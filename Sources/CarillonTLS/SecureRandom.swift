internal import COpenSSL

/// Random bytes that nobody can guess.
package enum SecureRandom {
    /// Fills the buffer; a process that gets no entropy must not go on, so a failure stops it.
    ///
    /// - Isolation: any thread
    /// - Source: OpenSSL RAND_bytes(3)
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let base = buffer.baseAddress else { return }
        var filled = 0
        while filled < buffer.count {
            let chunk = min(buffer.count - filled, Int(Int32.max))
            let answer = RAND_bytes((base + filled).assumingMemoryBound(to: UInt8.self), Int32(chunk))
            guard answer == 1 else { fatalError("the system's random generator gives no bytes") }
            filled += chunk
        }
    }
}
