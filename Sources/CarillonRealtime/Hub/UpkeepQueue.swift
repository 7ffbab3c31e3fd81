import NIOCore

/// What waits for group upkeep, the longest-waiting first.
struct UpkeepQueue<Element> {
    private var elements = CircularBuffer<Element>()
    /// Up to so many are taken at once.
    private let batch: Int
    /// Where more wait, they are taken in so many portions.
    private let portions: Int

    init(batch: Int, portions: Int) {
        self.batch = batch
        self.portions = portions
    }

    var count: Int { elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    /// Takes all of a small batch, or the next portion of a large one.
    mutating func next() -> [Element] {
        take(count <= batch ? count : max(batch / 5, (count + portions - 1) / portions))
    }

    mutating func all() -> [Element] { take(count) }

    private mutating func take(_ limit: Int) -> [Element] {
        let taken = Array(elements.prefix(limit))
        elements.removeFirst(taken.count)
        return taken
    }
}
