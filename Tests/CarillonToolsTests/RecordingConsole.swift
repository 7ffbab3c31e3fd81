import CarillonTools

/// What a tool wrote.
final class RecordingConsole: Sendable {
    private let written = Locked((output: "", error: ""))

    var output: String { written.with { $0.output } }
    var error: String { written.with { $0.error } }
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    var console: Console {
        Console(
            colour: false,
            progress: false,
            output: { bytes in
                self.written.with { $0.output += String(decoding: bytes, as: UTF8.self) }
                return true
            },
            error: { text in self.written.with { $0.error += text } }
        )
    }
}
