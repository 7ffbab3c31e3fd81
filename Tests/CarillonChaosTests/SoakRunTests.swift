import CarillonChaos
import Foundation
import Synchronization
import Testing

/// A soak of ten seconds, with all that belongs to one.
@Suite struct SoakRunTests {
    @Test func aShortSoakIsGreenAndDrawn() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "carillon-soak-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = ChaosOptions(seed: 1)
        options.pace = .soak
        options.soak = SoakPlan(seconds: 10, folder: folder.path)
        options.pods = 2
        options.users = 20
        options.postsPerSecond = 20
        let said = Mutex<[String]>([])
        let isGreen = try await ChaosRun(options) { line in said.withLock { $0.append(line) } }.run()
        let text = said.withLock { $0.joined(separator: "\n") }
        #expect(isGreen, "\(text)")
        #expect(text.contains("verdict: green") && text.contains("soak: green"))
        // Guests have come, and what was kept for a day is gone.
        #expect(text.contains(/, and [1-9]\d+ visits of guests/))
        #expect(text.contains(/notif:idem: +0 +[1-9]\d* +[1-9]\d* +0/))
        let svg = try String(contentsOf: folder.appending(path: "soak.svg"), encoding: .utf8)
        #expect(svg.contains("Resident memory of pods") && svg.contains("</svg>"))
        let samples = try String(contentsOf: folder.appending(path: "samples.csv"), encoding: .utf8)
        for what in [",pod-1/", ",pod-2/", ",load,", ",redis,"] {
            #expect(samples.split(separator: "\n").count { $0.contains(what) } > 10, "\(what) in:\n\(samples)")
        }
    }
}
