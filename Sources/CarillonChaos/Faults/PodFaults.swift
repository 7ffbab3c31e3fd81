import CarillonTestSupport
import Glibc

/// A pod dies without a word and is started again.
struct PodKilled: Fault {
    let pod: Int
    let downtime: Duration

    var record: FaultRecord {
        FaultRecord(name: "pod-killed", detail: "pod-\(pod + 1), away for \(downtime.inSeconds)", excuse: .nothing)
    }
    var touched: Touched { Touched(pods: [pod]) }

    func inject(_ world: World) async throws {
        await world.killPod(pod)
        try await Task.sleep(for: downtime)
        try await world.startPod(pod)
    }
}

/// A pod is asked to stop, and started again.
struct PodTerminated: Fault {
    let pod: Int
    let downtime: Duration

    var record: FaultRecord {
        FaultRecord(name: "pod-terminated", detail: "pod-\(pod + 1), away for \(downtime.inSeconds)", excuse: .nothing)
    }
    var touched: Touched { Touched(pods: [pod]) }

    func inject(_ world: World) async throws {
        try await world.terminatePod(pod)
        try await Task.sleep(for: downtime)
        try await world.startPod(pod)
    }
}

/// All pods are stopped in good order and started again, one after the other.
struct PodsRolled: Fault {
    /// In this order.
    let pods: [Int]
    /// Between two pods.
    let pause: Duration

    var record: FaultRecord {
        let order = pods.map { "pod-\($0 + 1)" }.joined(separator: ", ")
        return FaultRecord(name: "pods-rolled", detail: "\(order), \(pause.inSeconds) apart", excuse: .nothing)
    }
    var touched: Touched { Touched(pods: Set(pods)) }

    func inject(_ world: World) async throws {
        for (position, pod) in pods.enumerated() {
            if position > 0 { try await Task.sleep(for: pause) }
            try await world.terminatePod(pod)
            try await world.startPod(pod)
        }
    }
}

/// A pod gets no time to run, once or several times: a paused machine, or an event loop that something holds up.
struct PodFrozen: Fault {
    let name: String
    let pod: Int
    let freezes: [Duration]
    /// Between two freezes.
    let pause: Duration

    var record: FaultRecord {
        let times = freezes.map(\.inSeconds).joined(separator: ", ")
        return FaultRecord(name: name, detail: "pod-\(pod + 1) for \(times)", excuse: .nothing)
    }
    var touched: Touched { Touched(pods: [pod]) }

    func inject(_ world: World) async throws {
        for (position, freeze) in freezes.enumerated() {
            if position > 0 { try await Task.sleep(for: pause) }
            await world.signalPod(pod, SIGSTOP)
            try await Task.sleep(for: freeze)
            await world.signalPod(pod, SIGCONT)
        }
    }
}

/// The wall clock of a pod jumps, and back.
struct ClockJumped: Fault {
    let pod: Int
    let seconds: Int
    let length: Duration

    var record: FaultRecord {
        let detail = "pod-\(pod + 1) by \(seconds) s for \(length.inSeconds)"
        return FaultRecord(name: "clock-jumped", detail: detail, excuse: .nothing)
    }
    var touched: Touched { Touched(pods: [pod]) }

    func inject(_ world: World) async throws {
        try await world.setClock(of: pod, bySeconds: seconds)
        try await Task.sleep(for: length)
        try await world.setClock(of: pod, bySeconds: 0)
    }
}

/// A second process is started under a running pod's name; then it goes, and the pod is started in its old place.
struct NameTaken: Fault {
    let pod: Int
    let length: Duration

    var record: FaultRecord {
        FaultRecord(name: "name-taken", detail: "pod-\(pod + 1) for \(length.inSeconds)", excuse: .nothing)
    }
    var touched: Touched { Touched(pods: [pod]) }

    func inject(_ world: World) async throws {
        let twin = try await world.startTwin(of: pod)
        try await Task.sleep(for: length)
        let status = try? await twin.terminate()
        guard status == 0 else {
            twin.kill()
            throw BrokenPromise("the newer process of pod-\(pod + 1) did not stop in good order")
        }
        try await world.startPod(pod)
    }
}

/// One pod more joins, takes devices and posts, and leaves in good order.
struct PodJoined: Fault {
    let length: Duration

    var record: FaultRecord {
        FaultRecord(name: "pod-joined", detail: "one more for \(length.inSeconds)", excuse: .nothing)
    }
    /// No other pod that joins may do so at the same time.
    var touched: Touched { Touched(pods: [-1]) }

    func inject(_ world: World) async throws {
        let before = await world.ports
        _ = try await world.addPod()
        await world.hooks.portsChanged(await world.ports)
        try await Task.sleep(for: length)
        await world.hooks.portsChanged(before)
        try await world.removeLastPod()
    }
}
