import FoundationEssentials
import Logging
import Synchronization
import Testing

@testable import CarillonConfig

@Suite("Lines of the log")
struct LogTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
        var sink: LogSink { LogSink { line in self.all.withLock { $0.append(line) } } }
        var last: String { all.withLock { $0.last ?? "" } }
    }

    private let lines = Lines()

    private func logger(_ format: Settings.Log.Format, _ level: Logger.Level = .info) -> Logger {
        Logger(label: "test") { label in
            LineLogHandler(
                label: label,
                log: Settings.Log(level: level, format: format),
                sink: lines.sink,
                time: { "2024-01-01T12:00:00.000Z" }
            )
        }
    }

    @Test func aTextLineHasTimeLevelMessageAndMetadata() {
        var logger = logger(.text)
        logger[metadataKey: "pod"] = "p1"
        logger.info("connected", metadata: ["user": "1-alice", "count": "3", "reason": "a b", "empty": ""])
        #expect(
            lines.last
                == "2024-01-01T12:00:00.000Z INFO     connected count=3 empty=\"\" pod=p1 reason=\"a b\" user=1-alice\n"
        )
    }

    @Test func aJSONLineIsAnObject() throws {
        logger(.json).warning(
            "say \"hi\"\n",
            metadata: ["time": "x", "list": ["a", "b"], "map": ["k": "v"], "number": .stringConvertible(3)]
        )
        #expect(
            lines.last
                == #"{"time":"2024-01-01T12:00:00.000Z","level":"warning","logger":"test","message":"say \"hi\"\n","#
                + #""metadata":{"list":["a","b"],"map":{"k":"v"},"number":"3","time":"x"}}"# + "\n"
        )
        logger(.json).error("plain")
        #expect(
            lines.last
                == #"{"time":"2024-01-01T12:00:00.000Z","level":"error","logger":"test","message":"plain"}"# + "\n"
        )
    }

    @Test(arguments: [Settings.Log.Format.text, .json])
    func controlCharactersNeverReachTheTerminal(format: Settings.Log.Format) {
        let controls =
            (0...0x9f).filter { $0 < 0x20 || $0 > 0x7e }.compactMap { Unicode.Scalar($0) } + ["\u{202e}", "\u{2028}"]
        var text = ""
        for control in controls { text.unicodeScalars.append(control) }
        logger(format).info("m\(text)", metadata: ["k\(text)": "v\(text)", "list": ["\(text)"]])
        let line = lines.last.unicodeScalars.dropLast()
        #expect(lines.last.hasSuffix("\n"))
        for control in controls { #expect(!line.contains(control), "U+\(String(control.value, radix: 16))") }
        #expect(lines.last.contains("\\u009b"))
    }

    @Test func everyControlCharacterOfAJSONLineComesBack() throws {
        var text = ""
        for code in 0...0x2030 as ClosedRange<UInt32> { text.unicodeScalars.append(Unicode.Scalar(code)!) }
        logger(.json).info("\(text)")
        let decoded = try JSONDecoder().decode([String: String].self, from: Data(lines.last.utf8))
        #expect(decoded["message"].map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
    }

    @Test func lessSevereLevelsAreLeftOut() {
        logger(.text, .warning).info("hidden")
        #expect(lines.all.withLock { $0.isEmpty })
        logger(.text, .warning).warning("shown")
        #expect(lines.last.contains("WARNING  shown"))
    }
}
