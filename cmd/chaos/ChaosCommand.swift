import ArgumentParser
import CarillonChaos
import CarillonTestSupport
import Foundation

@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-chaos",
        abstract: "Breaks things around running pods, and tells what that did to notifications.",
        discussion: """
            EXIT CODES
              0 every promise was kept, 1 one was not, 2 the harness could not work, 64 usage
            """
    )

    @Option(
        help: """
            short (about a minute), standard (each fault once), long (half an hour) or soak (few faults, and a look at what grows).
            """
    )
    var schedule = Pace.standard
    @Option(help: "Minutes of load of a soak.") var minutes = 10.0
    @Option(help: ArgumentHelp("Write the chart and the samples of a soak here.", valueName: "dir")) var output: String?
    @Option(help: "Picks faults, targets and times (or CHAOS_SEED; default: another one each time).")
    var seed: UInt64?
    @Option(help: ArgumentHelp("Only these kinds of faults, in this order.", valueName: "name,…"))
    var faults: String?
    @Flag(help: "Print the kinds of faults, and what must hold through each.")
    var list = false
    @Option(help: "Pods.") var pods = 3
    @Option(help: "Users.") var users = 60
    @Option(help: ArgumentHelp("Posts per second.", valueName: "n")) var rate = 300.0
    @Option(help: ArgumentHelp("Devices of a user.", valueName: "from...to")) var devices = "1...3"
    @Option(help: ArgumentHelp("Share of the posts with an Idempotency-Key.", valueName: "0…1")) var keyed = 0.3
    @Option(help: ArgumentHelp("Share of these sent to two pods at once.", valueName: "0…1")) var raced = 0.2
    @Option(help: ArgumentHelp("Share of the posts that are for a channel or everybody.", valueName: "0…1"))
    var topics = 0.1
    @Option(help: ArgumentHelp("Channels to subscribe to.", valueName: "n")) var channels = 4
    @Option(help: ArgumentHelp("Share of the pushes that devices read.", valueName: "0…1")) var read = 0.5
    @Option(help: ArgumentHelp("A setting of the pods; may be repeated.", valueName: "NAME=value"))
    var set: [String] = []
    @Option(help: ArgumentHelp("Keep the pods' logs here.", valueName: "dir")) var keepLogs: String?
    @Flag(help: "Print the verdict alone.") var quiet = false

    func run() async throws {
        if list {
            for kind in FaultKind.all + [.calm] {
                print("\(kind.name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(kind.promise)")
            }
            return
        }
        let options = try options()
        let interrupts = Interrupts()
        defer { withExtendedLifetime(interrupts) {} }
        do {
            let isGreen = try await ChaosRun(options) { line in
                print(line)
                fflush(nil)
            }.run()
            throw ExitCode(isGreen ? 0 : 1)
        } catch let code as ExitCode {
            throw code
        } catch {
            FileHandle.standardError.write(Data("carillon-chaos: \(error)\nrepeat: \(options.command)\n".utf8))
            throw ExitCode(2)
        }
    }

    private func options() throws -> ChaosOptions {
        let environment = ProcessInfo.processInfo.environment["CHAOS_SEED"].flatMap { $0.isEmpty ? nil : $0 }
        if seed == nil, let environment, UInt64(environment) == nil {
            throw ValidationError("CHAOS_SEED is no number")
        }
        var options = ChaosOptions(seed: seed ?? environment.flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999))
        options.pace = schedule
        if schedule == .soak { options.soak = SoakPlan(seconds: minutes * 60, folder: output) }
        options.faults = faults?.split(separator: ",").map(String.init) ?? []
        for name in options.faults where FaultKind.named(name) == nil {
            throw ValidationError("there is no fault '\(name)'; --list names all")
        }
        let bounds = devices.split(separator: ".").compactMap { Int($0) }
        guard let least = bounds.first, let most = bounds.last, bounds.count <= 2, 0 < least, least <= most else {
            throw ValidationError("--devices is a number or two, such as 1...3")
        }
        options.devicesPerUser = least...most
        for setting in set {
            let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw ValidationError("--set takes NAME=value") }
            options.settings[parts[0]] = parts[1]
        }
        guard minutes > 0 else { throw ValidationError("--minutes is a time") }
        guard pods > 1, users > 0, rate > 0, channels > 0 else {
            throw ValidationError("two pods, one user, one channel and some posts at least")
        }
        options.pods = pods
        options.users = users
        options.postsPerSecond = rate
        options.keyedShare = keyed
        options.racedShare = raced
        options.topicShare = topics
        options.channels = channels
        options.readShare = read
        options.logFolder = keepLogs
        options.isQuiet = quiet
        return options
    }
}

extension Pace: ExpressibleByArgument {}
