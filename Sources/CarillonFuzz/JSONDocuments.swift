import CarillonDomain
import CarillonTools
import Foundation

/// A document, as every body and every message of a device is one.
///
/// - The scanner takes what Foundation takes, but for the differences that are named here.
/// - What it takes it reads as the command-line tools' parser does: every text, every number, every member in its order.
/// - A text that is written again is read as the same.
enum JSONDocuments {
    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let ours = ScannedDocument.read(bytes)
        let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        let tools = try? JSONValue(parsing: Array(bytes))
        switch (ours, theirs) {
        case (nil, nil): break
        case (let ours?, nil): try require(ours.holdsHugeNumber, "only the scanner takes \(shown(bytes))")
        case (nil, _?): try require(isTakenByFoundationOnly(bytes), "only Foundation takes \(shown(bytes))")
        case (let ours?, let theirs?): try compare(ours, theirs)
        }
        guard let ours else { return }
        try require(
            tools == ours.value,
            "\(ours.value) of the scanner, \(tools.map { "\($0)" } ?? "nothing") of the tools"
        )
        try checkWriting(ours.value)
    }

    // MARK: - Where Foundation differs

    /// RFC 8259 allows none of these, or allows a parser to refuse it.
    private static func isTakenByFoundationOnly(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // It guesses UTF-16 and UTF-32 by the zeros between ASCII characters, and skips a byte order mark. We take UTF-8 only
        // (§8.1), where a zero is nowhere allowed and a mark need not be.
        if bytes.contains(0) || bytes.starts(with: [0xef, 0xbb, 0xbf]) || bytes.starts(with: [0xff, 0xfe])
            || bytes.starts(with: [0xfe, 0xff])
        {
            return true
        }
        // It takes a comma before an end.
        let strict = withoutTrailingCommas(bytes)
        // It goes deeper than `Limits.jsonDepth`.
        return strict.withUnsafeBytes { ScannedDocument.read($0, depth: 600) != nil }
    }

    private static func withoutTrailingCommas(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        var isText = false
        var isEscaped = false
        for byte in bytes {
            if isText {
                isText = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: "\"") {
                isText = true
            } else if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") {
                let isBlank = { (byte: UInt8) in [0x20, 0x0a, 0x0d, 0x09].contains(byte) }
                if let last = result.lastIndex(where: { !isBlank($0) }), result[last] == UInt8(ascii: ",") {
                    result.remove(at: last)
                }
            }
            result.append(byte)
        }
        return result
    }

    // MARK: - Values

    private static func compare(_ ours: ScannedDocument, _ theirs: Any) throws {
        // A dictionary keeps one of several members of a name; which one is nobody's promise. And Foundation takes U+FEFF at the
        // beginning of a text for a byte order mark, and drops it.
        if !ours.holdsRepeatedName, !ours.holdsByteOrderMark { try compare(ours.value, theirs) }
    }

    private static func compare(_ ours: JSONValue, _ theirs: Any) throws {
        switch (ours, theirs) {
        case (.object(let members), let object as [String: Any]):
            try require(members.count == object.count, "\(members.count) members, not \(object.count)")
            for member in members {
                guard let value = object[member.name] else { throw Finding("no member \(shown(member.name.utf8))") }
                try compare(member.value, value)
            }
        case (.array(let elements), let array as [Any]):
            try require(elements.count == array.count, "\(elements.count) elements, not \(array.count)")
            for (element, other) in zip(elements, array) { try compare(element, other) }
        case (.string(let text), let other as String):
            try require(text.utf8.elementsEqual(other.utf8), "the text \(shown(text.utf8)), not \(shown(other.utf8))")
        case (.bool(let value), let other as NSNumber): try require(value == other.boolValue, "\(value), not \(other)")
        case (.number(let digits), let other as NSNumber):
            let isSame = Int64(digits).map { $0 == other.int64Value } ?? (Double(digits) == other.doubleValue)
            try require(isSame, "the number \(digits), not \(other)")
        case (.null, _ as NSNull): break
        default: throw Finding("\(ours), not \(theirs)")
        }
    }

    private static func checkWriting(_ value: JSONValue) throws {
        switch value {
        case .object(let members):
            for member in members {
                try checkWriting(.string(member.name))
                try checkWriting(member.value)
            }
        case .array(let values): for value in values { try checkWriting(value) }
        case .string(let text):
            for written in [JSON.quoted(text), JSONValue.quoted(text)] {
                let bytes = Array(written.utf8)
                let again = bytes.withUnsafeBytes { ScannedDocument.read($0) }?.value
                try require(again == value, "\(shown(text.utf8)) is written as \(written)")
            }
        case .number, .bool, .null: break
        }
    }
}
