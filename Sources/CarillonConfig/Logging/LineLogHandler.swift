import CarillonDomain
package import Logging

/// Writes each event as one line: for people (`text`) or for programs (`json`).
///
/// - Isolation: any thread
/// - Cost: builds one string and makes one system call per event that is logged
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Settings.Log.Format
    private let sink: LogSink
    private let time: @Sendable () -> String

    /// - Parameter time: The time of an event, in RFC 3339; the clock's by default.
    package init(
        label: String,
        log: Settings.Log,
        sink: LogSink = .standardError,
        time: (@Sendable () -> String)? = nil
    ) {
        self.label = label
        self.logLevel = log.level
        self.format = log.format
        self.sink = sink
        self.time = time ?? { CalendarDate.now().rfc3339 }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        if let error = event.error { all["error"] = .string("\(error)") }
        let sorted = all.sorted { $0.key < $1.key }
        switch format {
        case .text: sink.write(textLine(event, sorted))
        case .json: sink.write(jsonLine(event, sorted))
        }
    }

    private func textLine(_ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)]) -> String {
        let level = event.level.rawValue.uppercased()
        let padding = String(repeating: " ", count: 8 - level.utf8.count)
        var line = "\(time()) \(level)\(padding) \(LogEscape.plain(event.message.description))"
        for (key, value) in metadata { line += " \(LogEscape.word(key))=\(LogEscape.word(value.description))" }
        return line + "\n"
    }

    private func jsonLine(_ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)]) -> String {
        var line = "{\"time\":\"\(time())\",\"level\":\"\(event.level.rawValue)\",\"logger\":\(LogEscape.quoted(label))"
        line += ",\"message\":\(LogEscape.quoted(event.message.description))"
        if !metadata.isEmpty {
            // An object of its own, so that no key can stand in for the line's time, level or message.
            line += ",\"metadata\":{"
            for (index, (key, value)) in metadata.enumerated() {
                line += "\(index == 0 ? "" : ",")\(LogEscape.quoted(key)):"
                Self.appendJSON(value, to: &line)
            }
            line += "}"
        }
        return line + "}\n"
    }

    private static func appendJSON(_ value: Logger.MetadataValue, to line: inout String) {
        switch value {
        case .string(let text): line += LogEscape.quoted(text)
        case .stringConvertible(let value): line += LogEscape.quoted(value.description)
        case .array(let values):
            line += "["
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                appendJSON(value, to: &line)
            }
            line += "]"
        case .dictionary(let values):
            line += "{"
            for (index, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                line += "\(index == 0 ? "" : ",")\(LogEscape.quoted(key)):"
                appendJSON(value, to: &line)
            }
            line += "}"
        }
    }
}

extension Settings.Log {
    /// Makes `Logger(label:)` everywhere in the process write as the settings say.
    ///
    /// To be called once, before the first logger is made.
    package func bootstrap() {
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, log: self) }
    }
}
