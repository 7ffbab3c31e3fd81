import ArgumentParser
import CarillonTools

@main
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-client",
        abstract: "Hears a user's notifications and reports them as read.",
        discussion: """
            EXAMPLES
              Hear user 1:test_user at localhost:8080:
                carillon-client
              Hear another user:
                carillon-client --user-id 7 --login bob
              Subscribe to channels, and hear what comes to them:
                carillon-client --channels orders,news
              Give every frame to another program:
                carillon-client --url wss://hub.example --json | jq .data.message
              Wait for one push, with exit code 3 if none comes:
                carillon-client --count 1 --timeout 5 --no-read

            EXIT CODES
              0 done, 3 time was up, 64 usage, 69 unavailable, 76 server refuses
            """,
        version: ToolVersion.text
    )

    @Option(help: "Server, with or without /ws (or CARILLON_URL; default: \(ServerURL.standard)).")
    var url: String?
    @Option(help: "The user's id (or DEV_USER_ID; default: 1).")
    var userId: String?
    @Option(help: "The user's login (or DEV_LOGIN; default: test_user).")
    var login: String?
    @Option(help: ArgumentHelp("Subscribe the user to channels.", valueName: "name,…"))
    var channels: String?
    @Option(help: ArgumentHelp("Time from a push to its read report.", valueName: "seconds"))
    var readAfter = 2.0
    @Flag(help: "Report nothing as read.")
    var noRead = false
    @Flag(help: "Print the server's frames as they come, one JSON document a line.")
    var json = false
    @Option(help: ArgumentHelp("End after that many pushes and the acks of their reads.", valueName: "n"))
    var count: Int?
    @Option(help: ArgumentHelp("End after that time; exit 3 if --count was not reached.", valueName: "seconds"))
    var timeout: Double?
    @Option(help: ArgumentHelp("Ask for the last 1 to 100 notifications after connecting.", valueName: "n"))
    var sync: Int?
    @Flag(help: "Say nothing but pushes and errors.")
    var quiet = false
    @Flag(help: "Exit 69 instead of connecting again.")
    var noReconnect = false
    @Option(help: ArgumentHelp("PEM file of the certificates to trust, for https and wss.", valueName: "path"))
    var caFile: String?
    @Flag(help: "Do not check the server's certificate.")
    var insecure = false

    func run() async throws {
        let options: ClientOptions
        do { options = try self.options() } catch { throw ValidationError("\(error)") }
        throw ExitCode(try await NotificationClient.run(options).rawValue)
    }

    private func options() throws(UsageError) -> ClientOptions {
        var options = try ClientOptions(url: url, userID: userId, login: login)
        options.channels =
            channels.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
        options.readAfterSeconds = noRead ? nil : readAfter
        options.timeoutSeconds = timeout
        options.json = json
        options.count = count
        options.syncLimit = sync
        options.quiet = quiet
        options.reconnect = !noReconnect
        options.caFile = caFile
        options.verifiesCertificate = !insecure
        try options.validate()
        return options
    }
}
