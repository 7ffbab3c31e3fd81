/// Spreads something that is to be done once in so many ticks evenly over them, also where it is less than one a tick.
struct EvenShare {
    private var owed = 0

    /// How many of `count` are due in this tick of `ticks`.
    mutating func next(of count: Int, in ticks: Int) -> Int {
        owed += count
        defer { owed %= ticks }
        return owed / ticks
    }
}
