import CarillonFuzz
import Foundation
import Testing

/// The inputs that are kept in `Tests/Fuzz`, those that broke something among them: the properties hold for each.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzz")

    private static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: Data)] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: target.name).path)
        return try names.sorted().map { ($0, try Data(contentsOf: folder.appending(path: "\(target.name)/\($0)"))) }
    }

    @Test(arguments: FuzzTarget.all) func everyInput(target: FuzzTarget) throws {
        let inputs = try Self.inputs(of: target)
        #expect(inputs.count >= 5, "too few for a fuzzer to begin with")
        for input in inputs {
            #expect(input.bytes.count <= target.longestInput, "\(input.name) would be cut")
            #expect(throws: Never.self, "\(target.name)/\(input.name)") {
                try input.bytes.withUnsafeBytes(target.check)
            }
        }
    }

    /// What arrives in part is most of what a parser sees.
    @Test(arguments: FuzzTarget.all) func everyBeginningOfEveryInput(target: FuzzTarget) throws {
        for input in try Self.inputs(of: target) {
            for count in 0..<min(input.bytes.count, 200) {
                #expect(throws: Never.self, "\(count) bytes of \(target.name)/\(input.name)") {
                    try input.bytes.prefix(count).withUnsafeBytes(target.check)
                }
            }
        }
    }
}

extension FuzzTarget: CustomTestStringConvertible {
    package var testDescription: String { name }
}
