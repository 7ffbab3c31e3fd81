import NIOCore

/// The link between one pod and Redis breaks in one of the ways of `TCPProxy.Mode`, and heals.
struct LinkBroken: Fault {
    let name: String
    let pod: Int
    let mode: TCPProxy.Mode
    let length: Duration

    var record: FaultRecord {
        let how =
            switch mode {
            case .delay(let time): ", \(time.nanoseconds / 1_000_000) ms each way"
            case .blackhole(.forwarded): ", what was sent arrives late"
            case .blackhole(.dropped): ", what was sent is lost"
            case .pass, .cut, .deaf: ""
            }
        return FaultRecord(name: name, detail: "pod-\(pod + 1) for \(length.inSeconds)\(how)", excuse: .nothing)
    }
    var touched: Touched { Touched(pods: [pod]) }

    func inject(_ world: World) async throws {
        await world.setLink(of: pod, mode)
        try await Task.sleep(for: length)
        await world.setLink(of: pod, .pass)
    }
}
