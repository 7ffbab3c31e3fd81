// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "send",
    platforms: [.macOS(.v12)],
    targets: [.executableTarget(name: "send", path: "Sources/Send")]
)
