import CarillonTestSupport
import Testing

@testable import CarillonRealtime

@Suite("UTF-8 in pieces")
struct UTF8ValidatorTests {
    private static let valid: [[UInt8]] = [
        [], [0x00], [0x7f], [0xc2, 0x80], [0xdf, 0xbf], [0xe0, 0xa0, 0x80], [0xe1, 0x80, 0x80], [0xec, 0xbf, 0xbf],
        [0xed, 0x80, 0x80], [0xed, 0x9f, 0xbf], [0xee, 0x80, 0x80], [0xef, 0xbf, 0xbf], [0xf0, 0x90, 0x80, 0x80],
        [0xf1, 0x80, 0x80, 0x80], [0xf3, 0xbf, 0xbf, 0xbf], [0xf4, 0x80, 0x80, 0x80], [0xf4, 0x8f, 0xbf, 0xbf],
        Array("Grüße, 世界 🎉 and plain ASCII for more than eight bytes".utf8),
    ]

    /// The last byte is the first that cannot be right.
    private static let invalid: [[UInt8]] = [
        [0x80], [0xbf], [0xc0], [0xc1], [0xf5], [0xff], [0xc2, 0x7f], [0xc2, 0xc0], [0xe0, 0x9f], [0xe0, 0x80],
        [0xe1, 0x7f], [0xe1, 0x80, 0xc0], [0xed, 0xa0], [0xed, 0xbf], [0xf0, 0x8f], [0xf0, 0x80], [0xf4, 0x90],
        [0xf4, 0xbf], [0xf1, 0x80, 0x80, 0x41], Array("eight letters, then ".utf8) + [0xfe],
    ]

    private static func check(_ pieces: [ArraySlice<UInt8>]) -> (accepted: Bool, isAtBoundary: Bool) {
        var validator = UTF8Validator()
        let accepted = pieces.allSatisfy { piece in piece.withUnsafeBytes { validator.append($0) } }
        return (accepted, validator.isAtBoundary)
    }

    @Test("accepts each range's ends, split anywhere", arguments: valid)
    func acceptsValid(_ bytes: [UInt8]) {
        for split in 0...bytes.count {
            #expect(Self.check([bytes[..<split], bytes[split...]]) == (true, true))
        }
    }

    @Test("fails at the first wrong byte and not before, split anywhere", arguments: invalid)
    func refusesInvalid(_ bytes: [UInt8]) {
        #expect(Self.check([bytes.dropLast()]).accepted)
        for split in 0...bytes.count {
            #expect(!Self.check([bytes[..<split], bytes[split...]]).accepted)
        }
    }

    @Test("knows that a character is unfinished")
    func knowsBoundary() {
        for bytes in Self.valid where bytes.count > 1 && bytes[0] >= 0x80 {
            for count in 1..<bytes.count { #expect(Self.check([bytes[..<count]]) == (true, false)) }
        }
    }

    @Test("agrees with the standard library on random bytes")
    func agreesWithStandardLibrary() {
        var random = SeededGenerator(seed: 0x5eed)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                [0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf1, 0xf4, 0xff]
                    .randomElement(using: &random) as UInt8? ?? 0
            }
            let result = Self.check([bytes[...]])
            #expect((result.accepted && result.isAtBoundary) == (String(validating: bytes, as: UTF8.self) != nil))
        }
    }
}
