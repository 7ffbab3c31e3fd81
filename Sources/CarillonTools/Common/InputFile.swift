internal import NIOCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A file that is read from its start to its end.
struct InputFile {
    private static let chunkBytes = 65_536
    /// No message is longer, whatever a server is set to take.
    private static let longestText = 16 * 1_048_576

    static let standardInput = InputFile(descriptor: STDIN_FILENO)

    private let descriptor: Int32

    /// The next bytes, after as long a wait as it takes; none at the end.
    ///
    /// - Throws: `IOError`
    func chunk() throws -> [UInt8] {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { space, written in
                count = read(descriptor, space.baseAddress, space.count)
                written = max(count, 0)
            }
            if count >= 0 { return bytes }
            if errno == EAGAIN {
                var descriptor = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&descriptor, 1, -1)
            } else if errno != EINTR {
                throw IOError(errnoCode: errno, reason: "read")
            }
        }
    }

    /// A whole file as text, the line end at its end dropped.
    ///
    /// - Throws: `UsageError` where it cannot be read, is too long, or is not UTF-8.
    static func text(_ path: String) throws(UsageError) -> String {
        let name = Printable.line(path)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UsageError("\(name): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        do {
            while case let chunk = try InputFile(descriptor: descriptor).chunk(), !chunk.isEmpty {
                bytes += chunk
                guard bytes.count <= longestText else {
                    throw UsageError("\(name) is longer than \(longestText) bytes")
                }
            }
        } catch let error as UsageError {
            throw error
        } catch {
            throw UsageError("\(name): \(Connector.describe(error))")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else { throw UsageError("\(name) is not UTF-8") }
        if text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
