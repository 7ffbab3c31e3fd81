internal import CarillonTestSupport

extension WireRedis {
    private static let keysPerCommand = 200

    /// Those of the keys that are not there.
    ///
    /// - Source: Redis command EXISTS
    func missing(of keys: [String]) async throws -> [String] {
        var missing: [String] = []
        for start in stride(from: 0, to: keys.count, by: Self.keysPerCommand) {
            let part = keys[start..<min(start + Self.keysPerCommand, keys.count)]
            guard try await self(["EXISTS"] + part).int != part.count else { continue }
            for key in part where try await self(["EXISTS", key]).int == 0 { missing.append(key) }
        }
        return missing
    }
}
