internal import CarillonTLS
internal import NIOCore

/// What the receiving client is asked to do.
package struct ClientOptions: Sendable {
    package var url: ServerURL
    package var userID: String
    package var login: String
    /// Topics to subscribe the user to.
    package var channels: [String] = []
    /// PEM file of the certificates to trust instead of the system's.
    package var caFile: String?
    package var verifiesCertificate = true
    /// Seconds from a push to its `notification.read`; nil means that nothing is reported as read.
    package var readAfterSeconds: Double? = 2
    /// End after that many pushes; nil means never.
    package var count: Int?
    /// End after so many seconds; nil means never.
    package var timeoutSeconds: Double?
    /// Ask once for that many notifications of the past; nil means not at all.
    package var syncLimit: Int?
    /// Print the server's frames as they come, one a line.
    package var json = false
    /// Say nothing but pushes and errors.
    package var quiet = false
    package var reconnect = true
    var backoff = Backoff(base: .milliseconds(500), cap: .seconds(20))

    /// Each of the three falls back to the address's query, then to the environment, then to the default.
    ///
    /// - Throws: `UsageError` for an address that cannot be used.
    package init(url: String?, userID: String?, login: String?) throws(UsageError) {
        self.url = try ServerURL(url ?? Environment.text("CARILLON_URL") ?? ServerURL.standard)
        self.userID =
            userID ?? self.url.parameter("user_id") ?? Environment.text("DEV_USER_ID") ?? DefaultUser.id
        self.login = login ?? self.url.parameter("login") ?? Environment.text("DEV_LOGIN") ?? DefaultUser.login
    }

    var tls: TLSClientConfiguration { TLSClientConfiguration(caFile: caFile, verify: verifiesCertificate) }
    var readAfter: TimeAmount? { readAfterSeconds.map(TimeAmount.init(seconds:)) }
    var timeout: TimeAmount? { timeoutSeconds.map(TimeAmount.init(seconds:)) }

    private static let longestSeconds = 31_536_000.0

    /// Checks the numbers.
    package func validate() throws(UsageError) {
        guard channels.allSatisfy({ !$0.isEmpty }) else {
            throw UsageError("--channels takes names, separated by commas")
        }
        if let count, count < 1 { throw UsageError("--count takes a number from 1") }
        if let syncLimit, !(1...100).contains(syncLimit) { throw UsageError("--sync takes 1 to 100") }
        for (option, seconds) in [("--read-after", readAfterSeconds), ("--timeout", timeoutSeconds)] {
            guard seconds.map({ (0...Self.longestSeconds).contains($0) }) ?? true else {
                throw UsageError("\(option) takes 0 to \(Int(Self.longestSeconds)) seconds")
            }
        }
    }
}

/// Who is meant when nobody is named.
enum DefaultUser {
    static let id = "1"
    static let login = "test_user"
}
