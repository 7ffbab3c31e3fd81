internal import CarillonDomain
package import NIOCore

/// An answer to a post.
package struct LoadAnswer: Sendable {
    package let status: Int
    /// Seconds of `Retry-After`.
    package let retryAfterSeconds: Int?
    /// `Idempotent-Replayed: true`.
    package let isReplayed: Bool
    package let body: ByteBuffer

    /// The notification ids of a 202, one for each target in order, or that of a topic's notification; nil where the body is
    /// something else.
    package var notificationIDs: [LoadUUID]? {
        body.withUnsafeReadableBytes { bytes in
            var ids: [LoadUUID?] = []
            var scanner = JSONScanner(bytes)
            do throws(JSONScanner.Malformed) {
                try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
                    guard scanner.equals(name, "results") else {
                        let value = try scanner.value()
                        guard scanner.equals(name, "notification_id"), let text = value.text else { return }
                        return ids.append(LoadUUID(bytes: UnsafeRawBufferPointer(rebasing: bytes[text.range])))
                    }
                    try scanner.array { (scanner, _) throws(JSONScanner.Malformed) in
                        var id: LoadUUID?
                        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
                            let value = try scanner.value()
                            guard scanner.equals(name, "notification_id"), let text = value.text else { return }
                            id = LoadUUID(bytes: UnsafeRawBufferPointer(rebasing: bytes[text.range]))
                        }
                        ids.append(id)
                    }
                }
                try scanner.end()
            } catch {
                return nil
            }
            let known = ids.compactMap { $0 }
            return known.count == ids.count ? known : nil
        }
    }
}
