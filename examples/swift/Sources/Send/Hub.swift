import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

struct User: Codable {
    let id: Int64
    let login: String
}

struct Notification: Encodable {
    let target: [User]
    let message: String
    var source: String?
}

/// A row of the answer: a user, and the id of what was stored for him.
struct Stored: Decodable {
    let target: User
    let notificationID: String

    enum CodingKeys: String, CodingKey {
        case target
        case notificationID = "notification_id"
    }
}

/// An answer in `application/problem+json`.
struct Problem: Error, Decodable, CustomStringConvertible {
    struct Field: Decodable {
        let pointer: String
        let detail: String
    }

    let status: Int
    let error: String
    let detail: String
    let errors: [Field]?

    var description: String {
        (["\(status) \(error): \(detail)"] + (errors ?? []).map { "  \($0.pointer): \($0.detail)" })
            .joined(separator: "\n")
    }
}

/// A client of a hub's `POST /api/v1/notify`.
struct Hub {
    let url: URL
    static let attempts = 5

    /// Stores one notification for each target.
    ///
    /// All attempts carry the same key, so the hub stores each notification once, however often it is asked.
    func send(_ notification: Notification) async throws -> [Stored] {
        var request = URLRequest(url: url.appendingPathComponent("api/v1/notify"), timeoutInterval: 10)
        request.httpMethod = "POST"
        request.httpBody = try JSONEncoder().encode(notification)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue(UUID().uuidString, forHTTPHeaderField: "Idempotency-Key")
        var pause = 1.0
        var attempt = 1
        while true {
            do {
                return try await post(request, &pause)
            } catch let failure where attempt < Self.attempts && Self.mayPass(failure) {
                report("\(failure); trying again in \(pause) s")
                try await Task.sleep(nanoseconds: UInt64(pause * 1e9))
                pause = min(pause * 2, 30)
                attempt += 1
            }
        }
    }

    private func post(_ request: URLRequest, _ pause: inout Double) async throws -> [Stored] {
        struct Answer: Decodable { let results: [Stored] }
        let (body, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse, response.statusCode != 202 else {
            return try JSONDecoder().decode(Answer.self, from: body).results
        }
        if let seconds = response.value(forHTTPHeaderField: "Retry-After").flatMap(Double.init) { pause = seconds }
        if let problem = try? JSONDecoder().decode(Problem.self, from: body) { throw problem }
        throw Problem(
            status: response.statusCode,
            error: "no_hub",
            detail: "this is not an answer of a hub",
            errors: nil
        )
    }

    /// Whether trying again may help: 503, a lost connection, and 409 while an attempt that seemed lost is still under way.
    private static func mayPass(_ failure: any Error) -> Bool {
        if let problem = failure as? Problem { return problem.status == 503 || problem.status == 409 }
        return failure is URLError
    }
}

func report(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
