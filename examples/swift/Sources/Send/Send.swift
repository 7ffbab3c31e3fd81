import Foundation

/// Sends a notification to users: `swift run send "Your order has been shipped" 1:alice 2:bob`
///
/// `CARILLON_URL` says where the hub is (`http://localhost:8080`). Prints a line for each user: who, and the notification's id.
@main
enum Send {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        let users = arguments.dropFirst().compactMap(user)
        let address = ProcessInfo.processInfo.environment["CARILLON_URL"] ?? "http://localhost:8080"
        guard let message = arguments.first, !users.isEmpty, users.count == arguments.count - 1,
            let url = URL(string: address)
        else {
            report(#"usage: swift run send "Your order has been shipped" 1:alice 2:bob"#)
            exit(64)
        }
        do {
            for stored in try await Hub(url: url).send(Notification(target: users, message: message, source: "example"))
            {
                print("\(stored.target.id):\(stored.target.login) \(stored.notificationID)")
            }
        } catch {
            report("\(error)")
            exit(1)
        }
    }

    private static func user(_ text: String) -> User? {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let id = Int64(parts[0]) else { return nil }
        return User(id: id, login: String(parts[1]))
    }
}
