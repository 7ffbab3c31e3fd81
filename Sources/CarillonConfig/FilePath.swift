import Glibc

/// What settings ask of the file system at start.
enum FilePath {
    static func isFolder(_ path: String) -> Bool {
        kind(path) == S_IFDIR && access(path, R_OK | X_OK) == 0
    }

    static func isReadableFile(_ path: String) -> Bool {
        kind(path) == S_IFREG && access(path, R_OK) == 0
    }

    /// The first of `web` in the working directory and `web` beside the program that is a folder.
    static func defaultWebFolder() -> String? {
        var candidates = ["web"]
        if let folder = programFolder() { candidates.append("\(folder)/web") }
        return candidates.first(where: isFolder)
    }

    /// The name of this machine, with what a pod's name may not hold replaced.
    static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "carillon" }
        let bytes = buffer.prefix { $0 != 0 }.prefix(128).map { byte in
            Settings.isPodIDByte(UInt8(bitPattern: byte)) ? UInt8(bitPattern: byte) : UInt8(ascii: "-")
        }
        return bytes.isEmpty ? "carillon" : String(decoding: bytes, as: UTF8.self)
    }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func programFolder() -> String? {
        let path = String(unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { max(0, readlink("/proc/self/exe", $0.baseAddress!, $0.count)) }
        }
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
}
