/// Texts taken apart byte by byte.
///
/// A `Character` of Swift is what people see as one: a combining mark belongs to the separator that it follows, and CR LF is a
/// single one. Keys, fields and lines know nothing of that, and what strangers name things may begin with such a mark.
extension StringProtocol {
    /// What follows `prefix`; nil where the text begins otherwise.
    package func rest(behind prefix: String) -> Substring? {
        let bytes = Substring(self).utf8
        return bytes.starts(with: prefix.utf8) ? Substring(bytes.dropFirst(prefix.utf8.count)) : nil
    }

    /// What stands before and behind the first `separator`, an ASCII character; nil where there is none.
    package func halves(at separator: Unicode.Scalar) -> (Substring, Substring)? {
        let bytes = Substring(self).utf8
        guard let index = bytes.firstIndex(of: UInt8(ascii: separator)) else { return nil }
        return (Substring(bytes[..<index]), Substring(bytes[bytes.index(after: index)...]))
    }

    /// What stands between all of `separator`, an ASCII character, empty parts included.
    package func parts(at separator: Unicode.Scalar) -> [Substring] {
        Substring(self).utf8.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false).map(
            Substring.init
        )
    }
}
