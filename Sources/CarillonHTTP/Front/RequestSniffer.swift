// Decides, from the bytes at a request boundary, which of the three ways a request goes.
//
// The fast way has an HTTP/1.1 parser of its own, which saves nine tenths of a request's cost. Two parsers in one server
// are a danger only where they could disagree about where a request ends; so this one takes nothing but the one shape
// that all parsers read alike, and leaves everything else, from the request's first byte, to the library's parser. It
// never answers and never fails: its only verdicts are "mine" and "not mine".

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The head of a notify request in its usual form.
package struct NotifyHead: Equatable {
    /// Bytes up to and with the empty line.
    package let headLength: Int
    /// `Content-Length`, at most the body limit.
    package let bodyLength: Int
    package let idempotencyKey: String?
    /// The client asks for the connection to be closed after the answer.
    package let closes: Bool
}

/// Where a request goes.
package enum RequestVerdict: Equatable {
    /// So far it may be either; more bytes will tell.
    case undecided
    /// A complete head of `GET /ws`.
    case upgrade
    /// A complete head of a usual `POST /api/v1/notify`.
    case notify(NotifyHead)
    /// Anything else.
    case library
}

/// Looks at one request's first bytes, again and again as they arrive.
///
/// - Cost: no allocation but the idempotency key; each byte of a head is searched once and parsed once.
package struct RequestSniffer {
    /// Bytes in which the head's end was already looked for.
    private var searched = 0

    package init() {}

    private static let notifyLine: StaticString = "POST /api/v1/notify HTTP/1.1\r\n"
    private static let upgradeStart: StaticString = "GET /ws"

    /// - Parameters:
    ///   - bytes: Everything received from the request's first byte on.
    ///   - leavesOrigins: A request that names its origin is left to the library.
    package mutating func examine(
        _ bytes: UnsafeRawBufferPointer,
        bodyLimit: Int,
        leavesOrigins: Bool = false
    ) -> RequestVerdict {
        let isNotify = Self.matches(bytes, Self.notifyLine)
        guard isNotify || Self.isUpgrade(bytes) else { return .library }
        switch findHeadEnd(bytes) {
        case .missing: return .undecided
        case .malformed: return .library
        case .found(let length):
            searched = 0
            guard isNotify else { return .upgrade }
            let lines = UnsafeRawBufferPointer(rebasing: bytes[Self.notifyLine.utf8CodeUnitCount..<length])
            let head = NotifyHeadParser.parse(
                lines,
                headLength: length,
                bodyLimit: bodyLimit,
                leavesOrigins: leavesOrigins
            )
            return head.map { .notify($0) } ?? .library
        }
    }

    /// True also where `bytes` end before they differ.
    private static func matches(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        return memcmp(start, text.utf8Start, min(bytes.count, text.utf8CodeUnitCount)) == 0
    }

    private static func isUpgrade(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let length = upgradeStart.utf8CodeUnitCount
        guard matches(bytes, upgradeStart) else { return false }
        return bytes.count <= length || bytes[length] == UInt8(ascii: " ") || bytes[length] == UInt8(ascii: "?")
    }

    private enum HeadEnd {
        case missing
        case malformed
        case found(Int)
    }

    private mutating func findHeadEnd(_ bytes: UnsafeRawBufferPointer) -> HeadEnd {
        let bound = min(bytes.count, HTTPConfiguration.headLimitBytes)
        var start = searched
        while start < bound, let hit = memchr(bytes.baseAddress! + start, 0x0a, bound - start) {
            let index = UnsafeRawPointer(hit) - bytes.baseAddress!
            guard index > 0, bytes[index - 1] == 0x0d else { return .malformed }
            if index >= 3, bytes[index - 2] == 0x0a { return .found(index + 1) }
            start = index + 1
        }
        guard bytes.count < HTTPConfiguration.headLimitBytes else { return .malformed }
        searched = bound
        return .missing
    }
}
