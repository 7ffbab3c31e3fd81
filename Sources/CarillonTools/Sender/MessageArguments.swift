/// What the command line says about the message, before it is known whether it makes sense together.
package struct MessageArguments: Sendable {
    private let message: String?
    private let file: String?
    private let targets: [String]
    private let readsInput: Bool
    private let count: Int
    package var source: String?
    package var title: String?
    package var type: String?
    /// Beside users a label; without them, all who have subscribed to it are meant.
    package var channel: String?
    package var isForEverybody = false
    package var priority: String?
    package var data: String?
    package var ttlSeconds: Int?

    /// - Parameter message: The text; `-` stands for NDJSON on standard input, like `readsInput`.
    package init(message: String?, file: String?, targets: [String], readsInput: Bool, count: Int) {
        self.message = message == "-" ? nil : message
        self.file = file
        self.targets = targets
        self.readsInput = readsInput || message == "-"
        self.count = count
    }

    /// - Throws: `UsageError` for arguments that exclude one another or cannot be used.
    package func requests() throws(UsageError) -> RequestSource {
        guard !readsInput else {
            let parts = [source, title, type, channel, priority, data, ttlSeconds.map(String.init)]
            guard message == nil, file == nil, targets.isEmpty, !isForEverybody, parts.allSatisfy({ $0 == nil }),
                count == 1
            else {
                throw UsageError("with --stdin each line says everything: no message, --to, --all or other parts of it")
            }
            return .lines { try InputFile.standardInput.chunk() }
        }
        guard message == nil || file == nil else { throw UsageError("give a message or --file, not both") }
        let text = if let file { try InputFile.text(file) } else { message ?? SenderOptions.defaultMessage }
        var body = NotifyBody(to: try recipients(), message: text)
        body.source = source
        body.title = title
        body.type = type
        // The channel of an audience says itself.
        if case .users = body.recipients { body.channel = channel }
        body.priority = priority
        body.data = data
        body.ttlSeconds = ttlSeconds
        return .body(try body.json(), count: count)
    }

    private func recipients() throws(UsageError) -> Recipients {
        guard !isForEverybody else {
            guard targets.isEmpty, channel == nil else { throw UsageError("--all excludes --to and --channel") }
            return .everybody
        }
        if targets.isEmpty, let channel { return .channel(channel) }
        guard !targets.isEmpty else { return .users([try SenderOptions.defaultTarget()]) }
        var users: [Target] = []
        for target in targets { users.append(try Target(target)) }
        return .users(users)
    }
}
