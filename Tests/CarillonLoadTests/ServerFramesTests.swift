import Testing

@testable import CarillonLoad

@Suite struct LoadUUIDTests {
    @Test func keepsTheText() {
        let text = "f4c24798-f827-4bab-835f-0d2083ab1fa0"
        #expect(LoadUUID(text)?.text == text)
        #expect(LoadUUID(text.uppercased())?.text == text)
    }

    @Test(arguments: ["", "f4c24798", "f4c24798xf827-4bab-835f-0d2083ab1fa0", "g4c24798-f827-4bab-835f-0d2083ab1fa0"])
    func refuses(_ text: String) { #expect(LoadUUID(text) == nil) }
}
