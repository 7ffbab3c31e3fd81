import ArgumentParser
import CarillonBench
import CarillonTestSupport
import Foundation

@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-bench",
        abstract: "Puts a hub under load, and tells how fast it is, what that costs, and whether anything was lost.",
        discussion: """
            It starts a Redis and a server of their own for each cell, on free ports and in temporary folders, or measures a hub \
            that runs already (--url).

            EXIT CODES
              0 measured, 1 something was lost, repeated, out of order or refused, or a cell failed, 2 nothing could be measured, 64 usage
            """
    )

    @Option(help: ArgumentHelp("Only these cells, in this order.", valueName: "name,…")) var cells: String?
    @Option(help: ArgumentHelp("carillon, nchan, nats, bare (SwiftNIO alone): measured in turns.", valueName: "name,…"))
    var hubs = "carillon"
    @Option(help: ArgumentHelp("A Carillon that runs already. Take one that nobody needs.", valueName: "url"))
    var url: String?
    @Option(help: ArgumentHelp("Measurements of each cell; the table shows medians.", valueName: "n")) var rounds = 1
    @Option(help: ArgumentHelp("Factor for the time that each measurement takes.", valueName: "0.1…10")) var pace = 1.0
    @Option(help: ArgumentHelp("Write every measurement here, as JSON.", valueName: "file")) var json: String?
    @Flag(help: "Print the cells, and what each does.") var list = false
    @Flag(help: "Print the table alone.") var quiet = false

    /// For the bench's own use: it starts itself as the bare server.
    @Option(help: .hidden) var serveBare: Int?

    func run() async throws {
        if let serveBare { return try await BareServer.serve(port: serveBare) }
        if list {
            for cell in Cell.all {
                print("\(cell.name.padding(toLength: 16, withPad: " ", startingAt: 0)) \(cell.summary)")
            }
            return
        }
        let options = try options()
        let interrupts = Interrupts()
        defer { withExtendedLifetime(interrupts) {} }
        do {
            let report = try await BenchRun(options) { [quiet] line in
                guard !quiet else { return }
                FileHandle.standardError.write(Data("\(line)\n".utf8))
            }.run()
            print(ResultTable.text(report.results))
            if let json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                try encoder.encode(report.results).write(to: URL(filePath: json))
            }
            if !report.isFaultless { throw ExitCode(1) }
        } catch let code as ExitCode {
            throw code
        } catch {
            FileHandle.standardError.write(Data("carillon-bench: \(error)\n".utf8))
            throw ExitCode(2)
        }
    }

    private func options() throws -> BenchOptions {
        var options = BenchOptions()
        if let cells {
            options.cells = try cells.split(separator: ",").map { name in
                guard let cell = Cell.named(String(name)) else {
                    throw ValidationError("there is no cell '\(name)'; --list names all")
                }
                return cell
            }
        }
        options.hubs = try hubs.split(separator: ",").map { name in
            guard let hub = HubKind(rawValue: String(name)) else {
                throw ValidationError("there is no hub '\(name)': carillon, nchan, nats, bare")
            }
            return hub
        }
        if let url {
            guard options.hubs == [.carillon] else { throw ValidationError("--url and --hubs exclude one another") }
            do { try options.measure(url: url) } catch { throw ValidationError("\(error)") }
        }
        for hub in options.hubs {
            if let missing = hub.missing { FileHandle.standardError.write(Data("left out: \(missing)\n".utf8)) }
        }
        options.hubs.removeAll { $0.missing != nil }
        guard !options.hubs.isEmpty, !options.cells.isEmpty else { throw ValidationError("nothing to measure") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is 1 to 100") }
        guard (0.1...10).contains(pace) else { throw ValidationError("--pace is 0.1 to 10") }
        options.rounds = rounds
        options.pace = pace
        return options
    }
}
