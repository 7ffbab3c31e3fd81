import CarillonDomain
import CarillonTestSupport
import Foundation
import Testing

@Suite struct JSONScannerFuzzTests {
    static let document = #"""
        {"target":[{"id":1,"login":"alice"},{"id":90071,"login":"b.o+b@x-y"}],"message":"Grüße \"😀\" \u00e9\ud83d\ude00\n",
         "created_at":"2024-01-01T12:00:00Z","data":{"a":[1,-2.5,3e4,0.1E-2,true,false,null,[],{}],"":""},"ttl_seconds":900}
        """#

    @Test func everyTruncationIsMalformed() {
        let bytes = Array(Self.document.utf8)
        #expect(rejection(bytes) == nil)
        for length in 0..<bytes.count { #expect(rejection(Array(bytes.prefix(length))) != nil, "\(length) bytes") }
    }

    @Test func everyTruncationOfEveryTailIsNoCrash() {
        let bytes = Array(Self.document.utf8)
        for start in bytes.indices {
            for length in 0...min(24, bytes.count - start) { _ = rejection(Array(bytes[start..<(start + length)])) }
        }
    }

    /// Whatever bytes are changed, Foundation and the scanner agree on what is JSON.
    ///
    /// Left out is where Foundation differs from RFC 8259: it takes a comma before an end, and no number beyond a
    /// Double.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func mutationsAgreeWithFoundation(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let original = Array(Self.document.utf8)
        let spice =
            Array("{}[]\",:\\u0123456789eE+-.tfn \n\t/dD\u{7f}é€😀".utf8) + [0x80, 0xbf, 0xc0, 0xed, 0xf4, 0xff, 0x1f]
        var accepted = 0
        for _ in 0..<4_000 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                let byte = spice[Int.random(in: spice.indices, using: &random)]
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                case 2: bytes.remove(at: place)
                default: bytes.swapAt(place, Int.random(in: bytes.indices, using: &random))
                }
            }
            guard !String(decoding: bytes, as: UTF8.self).contains(/,\s*[\]}]|[eE][-+]?[0-9]{3}/) else { continue }
            let ours = rejection(bytes)
            let theirs = Self.foundationAccepts(bytes)
            #expect((ours == nil) == theirs, "\(ours ?? "accepted"): \(String(decoding: bytes, as: UTF8.self))")
            if theirs { accepted += 1 }
        }
        // The comparison is worth something only if both answers occur.
        #expect((200...3_800).contains(accepted))
    }

    private static func foundationAccepts(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    }
}
