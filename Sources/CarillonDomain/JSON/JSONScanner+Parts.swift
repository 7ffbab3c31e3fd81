/// A second look at values that were scanned before, and so are nested no deeper than they may be.
extension JSONScanner {
    /// The members of an object that have these names, in their order; nil for what it does not have. Of a name given twice the last
    /// one counts.
    package func members(of object: Range<Int>, _ names: [StaticString]) -> [Value?] {
        var found = [Value?](repeating: nil, count: names.count)
        var scanner = self
        scanner.move(to: object.lowerBound)
        try? scanner.object { (scanner, name) throws(Malformed) in
            let member = try scanner.value(depth: .max)
            for (index, wanted) in names.enumerated() where scanner.equals(name, wanted) { found[index] = member }
        }
        return found
    }

    package func elements(of array: Range<Int>) -> [Value] {
        var elements: [Value] = []
        var scanner = self
        scanner.move(to: array.lowerBound)
        try? scanner.array { (scanner, _) throws(Malformed) in elements.append(try scanner.value(depth: .max)) }
        return elements
    }
}
