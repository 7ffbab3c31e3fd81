import HTTPTypes
import NIOCore

/// Names of contents, so that nobody gets again what he has.
///
/// - Source: RFC 9110 §8.8.3
enum EntityTag {
    /// Made from the content alone (FNV-1a), so that all pods give it the same tag.
    static func of(_ content: ByteBuffer) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in content.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\"\(String(hash, radix: 16))-\(String(content.readableBytes, radix: 16))\""
    }

    /// Whether the values of `If-None-Match` name it.
    ///
    /// - Source: RFC 9110 §13.1.2
    static func isListed(_ tag: String, in values: [String]) -> Bool {
        values.lazy.flatMap { $0.split(separator: ",") }.contains { given in
            let given = given.drop { $0 == " " }.prefix { $0 != " " }
            return given == "*" || given == tag || given == "W/" + tag
        }
    }
}
