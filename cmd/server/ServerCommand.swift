import CarillonApp
import CarillonConfig
import Foundation

/// `carillon-server`: reads the settings and runs a pod.
@main
enum ServerCommand {
    static func main() async {
        do throws(SettingsError) {
            switch try Invocation.parse() {
            case .print(let text): print(text)
            case .run(let settings): exit(await CarillonServer.run(settings))
            }
        } catch {
            FileHandle.standardError.write(Data((error.line + "\n").utf8))
            exit(SettingsError.exitCode)
        }
    }
}
