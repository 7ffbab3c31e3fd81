internal import NIOCore

/// The numbers at the end.
package struct SenderSummary: Hashable, Sendable {
    /// Requests that were tried, each counted once.
    package internal(set) var sent = 0
    /// Requests that the server answered with 202.
    package internal(set) var accepted = 0
    /// Requests that it did not accept, and lines that were none.
    package internal(set) var failed = 0

    func text(_ elapsed: TimeAmount) -> String {
        "\(sent) sent, \(accepted) accepted, \(failed) failed in \(elapsed.seconds), \(perSecond(elapsed)) per second"
    }

    func json(_ elapsed: TimeAmount) -> String {
        let ms = elapsed.nanoseconds / 1_000_000
        let fraction = String(1_000 + ms % 1_000).dropFirst()
        return "{\"summary\":{\"sent\":\(sent),\"accepted\":\(accepted),\"failed\":\(failed)"
            + ",\"seconds\":\(ms / 1_000).\(fraction),\"per_second\":\(perSecond(elapsed))}}"
    }

    private func perSecond(_ elapsed: TimeAmount) -> Int {
        Int(Double(accepted) * 1_000_000_000 / Double(max(elapsed.nanoseconds, 1)))
    }
}

/// Prints what becomes of the requests.
///
/// - Isolation: the sender's event loop
final class SenderReport {
    private let console: Console
    private let json: Bool
    private let source: RequestSource
    private let started = NIODeadline.now()
    private(set) var summary = SenderSummary()
    private var showsProgress = false

    init(_ options: SenderOptions, _ console: Console) {
        self.console = console
        json = options.json
        source = options.source
    }

    func sent() { summary.sent += 1 }

    func accepted(_ number: Int, _ response: HTTPResponse) {
        summary.accepted += 1
        if json {
            print("{\(position(number)),\"status\":\(response.status),\"response\":\(document(response))}")
        } else if source.isSingle {
            for row in rows(response) { print(row) }
        }
    }

    func refused(_ number: Int, _ response: HTTPResponse) {
        summary.failed += 1
        if json {
            print("{\(position(number)),\"status\":\(response.status),\"response\":\(document(response))}")
        } else {
            tell("\(label(number))\(response.problem)")
        }
    }

    func failed(_ number: Int, _ reason: String) {
        summary.failed += 1
        if json { print("{\(position(number)),\"error\":\(JSONValue.quoted(reason))}") }
        tell("\(label(number))\(Printable.line(reason))")
    }

    /// Requests whose answer is not waited for any more.
    func abandoned(_ count: Int) { summary.failed += count }

    func tell(_ text: String) {
        clearProgress()
        console.error(text + "\n")
    }

    func progress() {
        guard console.progress, !source.isSingle else { return }
        showsProgress = true
        console.error("\r\u{1b}[K\(summary.text(.now() - started))")
    }

    func finish() {
        clearProgress()
        let elapsed = NIODeadline.now() - started
        print(json ? summary.json(elapsed) : summary.text(elapsed))
    }

    private func clearProgress() {
        guard showsProgress else { return }
        showsProgress = false
        console.error("\r\u{1b}[K")
    }

    private func print(_ line: String) {
        clearProgress()
        _ = console.line(line)
    }

    private func position(_ number: Int) -> String {
        if case .lines = source { "\"line\":\(number)" } else { "\"request\":\(number)" }
    }

    private func label(_ number: Int) -> String {
        switch source {
        case .lines: "line \(number): "
        case .body: source.isSingle ? "" : "request \(number): "
        }
    }

    /// The answer itself in one line; as a string where it is no JSON.
    private func document(_ response: HTTPResponse) -> String {
        let bytes = Array(response.body.readableBytesView)
        guard let document = try? JSONValue(parsing: bytes) else {
            return JSONValue.quoted(String(decoding: bytes, as: UTF8.self))
        }
        return document.text
    }

    private func rows(_ response: HTTPResponse) -> [String] {
        let document = try? JSONValue(parsing: Array(response.body.readableBytesView))
        if let audience = document?["audience"] {
            let name = audience["channel"]?.scalar.map { "channel \($0)" } ?? "everybody"
            return [Printable.line("\(name) \(document?["notification_id"]?.scalar ?? "?")")]
        }
        guard case .array(let results) = document?["results"] else { return [] }
        return results.map { row in
            let id = row["target"]?["id"]?.scalar ?? "?"
            let login = row["target"]?["login"]?.scalar ?? "?"
            return Printable.line("\(id):\(login) \(row["notification_id"]?.scalar ?? "?")")
        }
    }
}

@available(*, unavailable)
extension SenderReport: Sendable {}
