import CarillonDomain
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The files of the web folder, kept in memory and read again when they change.
///
/// - Isolation: any; called from tasks, never from the event loop, because it asks the file system
final class StaticFiles: Sendable {
    /// A file above this size is not part of a web UI, and is not served.
    static let fileLimitBytes = 16 * 1024 * 1024

    private struct Stamp: Equatable {
        let modified: Date
        let size: Int
        let inode: Int
    }

    private struct File {
        let stamp: Stamp
        let content: ByteBuffer
        let entityTag: String
        let lastModified: String
    }

    /// The folder's own path, links resolved.
    private let root: String
    /// By resolved path, so that there are never more entries than files.
    private let cache = Mutex<[String: File]>([:])

    /// Nil where there is no such folder.
    init?(folder: String) {
        guard let root = Self.resolve(folder) else { return nil }
        self.root = root == "/" ? "" : root
    }

    func respond(to request: Request) throws(Problem) -> Response {
        guard let (path, name) = locate(request.uri.path), let file = load(path) else { throw .notFound }
        var headers: HTTPFields = [
            .eTag: file.entityTag, .lastModified: file.lastModified, .cacheControl: "no-cache",
            .xContentTypeOptions: "nosniff",
        ]
        if Self.isFresh(file, request.headers) { return Response(status: .notModified, headers: headers) }
        let type = MediaTypes.type(of: name)
        headers[.contentType] = type
        if type.hasPrefix("text/html") {
            headers[.contentSecurityPolicy] = Self.contentSecurityPolicy
            headers[.referrerPolicy] = "no-referrer"
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: file.content))
    }

    /// Whether `path`, as it stands in a request, names a file.
    func contains(_ path: String) -> Bool {
        locate(path).flatMap { load($0.path) } != nil
    }

    /// WebSockets of other hosts are let through, because the UI can be pointed at another pod.
    private static let contentSecurityPolicy =
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        + "form-action 'self'; frame-ancestors 'none'"

    // MARK: - Finding

    /// The resolved path of a file inside the folder, and its name; nil for anything that is not plainly one.
    private func locate(_ requestPath: String) -> (path: String, name: String)? {
        if requestPath == "/" { return locate("/index.html") }
        guard requestPath.hasPrefix("/") else { return nil }
        var names: [String] = []
        // Split before decoding: an encoded slash must not make a new segment.
        for part in requestPath.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let name = QueryParameters.percentDecoded(part), Self.isFileName(name) else { return nil }
            names.append(name)
        }
        guard let name = names.last, let path = Self.resolve(root + "/" + names.joined(separator: "/")) else {
            return nil
        }
        // A link may lead out of the folder.
        return path.hasPrefix(root + "/") ? (path, name) : nil
    }

    /// No dot files, which covers `.` and `..`, and nothing that some system reads as a separator.
    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".")
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") }
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    // MARK: - Reading

    private func load(_ path: String) -> File? {
        // Before the content, so that a file that changes in between is read once more, and not taken for the new one.
        guard let stamp = Self.stamp(of: path) else { return nil }
        if let file = cache.withLock({ $0[path] }), file.stamp == stamp { return file }
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let content = ByteBuffer(bytes: data)
        let file = File(
            stamp: stamp,
            content: content,
            entityTag: EntityTag.of(content),
            lastModified: CalendarDate(milliseconds: Int64(stamp.modified.timeIntervalSince1970) * 1_000).httpDate
        )
        cache.withLock { $0[path] = file }
        return file
    }

    /// Nil for anything but an ordinary file of bearable size.
    private static func stamp(of path: String) -> Stamp? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            attributes[.type] as? FileAttributeType == .typeRegular,
            let modified = attributes[.modificationDate] as? Date,
            let size = number(attributes[.size]), size <= fileLimitBytes
        else { return nil }
        return Stamp(modified: modified, size: size, inode: number(attributes[.systemFileNumber]) ?? 0)
    }

    /// By way of text, because the values are integers or `NSNumber`s, depending on which Foundation is linked.
    private static func number(_ value: Any?) -> Int? {
        value.flatMap { Int("\($0)") }
    }

    /// - Source: RFC 9110 §13.2.2; a date is compared as the text that we sent
    private static func isFresh(_ file: File, _ headers: HTTPFields) -> Bool {
        let tags = headers[values: .ifNoneMatch]
        if !tags.isEmpty { return EntityTag.isListed(file.entityTag, in: tags) }
        return headers[.ifModifiedSince] == file.lastModified
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = HTTPField.Name("referrer-policy")!
}
