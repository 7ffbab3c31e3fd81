import ArgumentParser
import CarillonTools

@main
struct SenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-sender",
        abstract: "Sends notifications to users, channels or everybody.",
        discussion: """
            EXAMPLES
              To 1:test_user at localhost:8080:
                carillon-sender "Hello"
              To two users:
                carillon-sender --to 1:alice --to 2:bob --source orders "Shipped"
              To all who have subscribed to a channel, and to everybody:
                carillon-sender --channel orders "Shop closed"
                carillon-sender --all "Maintenance at noon"
              A small load test:
                carillon-sender --to 1:alice --count 1000 "ping"
              NDJSON, one request a line:
                carillon-sender --stdin --json < requests.ndjson

            A line is a whole notify request, {"target":[…],"message":…}, or the short
            form {"id":1,"login":"alice","message":"Hello"}. A bad line is reported and
            the rest goes on.

            EXIT CODES
              0 all accepted, 1 some failed, 64 usage, 69 unreachable
            """,
        version: ToolVersion.text
    )

    @Argument(help: "The message; - reads NDJSON from standard input.")
    var message: String?
    @Option(help: ArgumentHelp("A user; may be repeated (or DEV_USER_ID and DEV_LOGIN).", valueName: "id:login"))
    var to: [String] = []
    @Option(help: ArgumentHelp("All who have subscribed to it; beside --to a label.", valueName: "name"))
    var channel: String?
    @Flag(help: "Everybody.")
    var all = false
    @Flag(help: "Read NDJSON from standard input.")
    var stdin = false
    @Option(help: ArgumentHelp("Take the message from a file, its last line end dropped.", valueName: "path"))
    var file: String?
    @Option(help: "Server, with or without path (or CARILLON_URL; default: \(ServerURL.standard)).")
    var url: String?
    @OptionGroup(title: "Optional parts of the notification")
    var parts: Parts
    @Option(help: ArgumentHelp("Key of the request; request n of several gets KEY-n.", valueName: "key"))
    var idempotencyKey: String?
    @Option(help: ArgumentHelp("Send the message that many times.", valueName: "n"))
    var count = 1
    @Option(help: ArgumentHelp("Requests under way at a time.", valueName: "n"))
    var concurrency = 16
    @Option(help: ArgumentHelp("Further attempts after 409, 429, 502..504 and lost connections.", valueName: "n"))
    var retries = 5
    @Flag(help: "Print answers and summary as lines of JSON.")
    var json = false
    @Option(help: ArgumentHelp("PEM file of the certificates to trust, for https.", valueName: "path"))
    var caFile: String?
    @Flag(help: "Do not check the server's certificate.")
    var insecure = false

    struct Parts: ParsableArguments {
        @Option var source: String?
        @Option var title: String?
        @Option var type: String?
        @Option(help: "low, medium, high or urgent.") var priority: String?
        @Option(help: ArgumentHelp("A JSON object.", valueName: "json")) var data: String?
        @Option(help: ArgumentHelp("Time to live.", valueName: "seconds")) var ttl: Int?
    }

    func run() async throws {
        let options: SenderOptions
        do { options = try self.options() } catch { throw ValidationError("\(error)") }
        throw ExitCode(try await Sender.run(options).rawValue)
    }

    private func options() throws(UsageError) -> SenderOptions {
        var request = MessageArguments(message: message, file: file, targets: to, readsInput: stdin, count: count)
        request.source = parts.source
        request.title = parts.title
        request.type = parts.type
        request.channel = channel
        request.isForEverybody = all
        request.priority = parts.priority
        request.data = parts.data
        request.ttlSeconds = parts.ttl
        var options = try SenderOptions(url: url, source: try request.requests())
        options.idempotencyKey = idempotencyKey
        options.concurrency = concurrency
        options.retries = retries
        options.json = json
        options.caFile = caFile
        options.verifiesCertificate = !insecure
        try options.validate()
        return options
    }
}
