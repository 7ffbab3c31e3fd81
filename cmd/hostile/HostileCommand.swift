import ArgumentParser
import CarillonHostile
import CarillonTestSupport
import Foundation

@main
struct HostileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-hostile",
        abstract:
            "Attacks a pod as hostile clients do, and tells what good users, memory and descriptors notice of it.",
        discussion: """
            It starts a Redis and a pod of its own, on free ports and in temporary folders. Linux only: memory and descriptors are \
            read from /proc.

            EXIT CODES
              0 every limit held, 1 one did not, or memory or descriptors did not come back, 2 nothing could be measured, 64 usage
            """
    )

    @Option(help: ArgumentHelp("Only these attacks, in this order.", valueName: "name,…")) var attacks: String?
    @Option(help: ArgumentHelp("Notifications per second for good users.", valueName: "n")) var rate = 500.0
    @Option(help: ArgumentHelp("A setting of the pod; may be repeated.", valueName: "NAME=value"))
    var set: [String] = []
    @Flag(help: "Print the attacks, and what each does.") var list = false
    @Flag(help: "Print the table alone.") var quiet = false

    func run() async throws {
        if list {
            for attack in Attack.all {
                print("\(attack.name.padding(toLength: 18, withPad: " ", startingAt: 0)) \(attack.summary)")
            }
            return
        }
        let options = try options()
        let interrupts = Interrupts()
        defer { withExtendedLifetime(interrupts) {} }
        do {
            let rows = try await HostileRun(options) { [quiet] line in
                if !quiet { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
            }.run()
            print(AttackTable.text(rows))
            if rows.contains(where: { !$0.faults.isEmpty }) { throw ExitCode(1) }
        } catch let code as ExitCode {
            throw code
        } catch {
            FileHandle.standardError.write(Data("carillon-hostile: \(error)\n".utf8))
            throw ExitCode(2)
        }
    }

    private func options() throws -> HostileOptions {
        var options = HostileOptions()
        if let attacks {
            options.attacks = try attacks.split(separator: ",").map { name in
                guard let attack = Attack.named(String(name)) else {
                    throw ValidationError("there is no attack '\(name)'; --list names all")
                }
                return attack
            }
        }
        guard !options.attacks.isEmpty else { throw ValidationError("there is nothing to attack with") }
        for setting in set {
            let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw ValidationError("--set takes NAME=value") }
            options.settings[parts[0]] = parts[1]
        }
        guard rate >= 1 else { throw ValidationError("--rate is 1 at least") }
        options.goodPerSecond = rate
        return options
    }
}
