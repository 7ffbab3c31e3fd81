import CarillonDomain
import Foundation
import NIOCore

extension ByteBuffer {
    /// What the buffer holds as JSON; nil where it is none.
    var json: NSDictionary? {
        try? JSONSerialization.jsonObject(with: Data(readableBytesView)) as? NSDictionary
    }

    var text: String { String(buffer: self) }
}

/// What `write` writes.
func written(_ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
    var buffer = ByteBuffer()
    write(&buffer)
    return buffer
}

func parse(_ body: String, _ limits: NotifyLimits = NotifyLimits()) throws -> NotifyRequest {
    try NotifyRequest.parse(ByteBuffer(string: body), limits: limits)
}

/// A request to alice with these members, the first of them `message` unless it is given as empty.
func parse(members: String, message: String = "\"message\":\"hi\",") throws -> NotifyRequest {
    let all = (message + members).trimmingCharacters(in: CharacterSet(charactersIn: ","))
    return try parse("{\"target\":[{\"id\":1,\"login\":\"alice\"}],\(all)}")
}

/// The payload that a request makes, as JSON.
func payload(_ request: NotifyRequest) -> NSDictionary? {
    written {
        request.content.writePayload(id: NotificationID("n"), target: request.targets[0], into: &$0)
    }.json
}

/// The pointers that a request is refused for; empty where it is taken, nil for other problems than 422.
func pointers(_ body: () throws -> NotifyRequest) -> [String]? {
    do {
        _ = try body()
        return []
    } catch let problem as Problem {
        return problem.status == 422 ? problem.fields.map(\.pointer) : nil
    } catch {
        return nil
    }
}
