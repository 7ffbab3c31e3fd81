/// Where what a user was shown first differs from what he has, in words; nil where nothing does.
func firstDifference<Shown: Equatable>(of shown: [Shown], from expected: [Shown]) -> String? {
    guard shown != expected else { return nil }
    let place =
        zip(shown, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(shown.count, expected.count)
    func name(_ list: [Shown]) -> String { list.indices.contains(place) ? "\(list[place])" : "nothing" }
    return "number \(place) is \(name(shown)) instead of \(name(expected))"
}
