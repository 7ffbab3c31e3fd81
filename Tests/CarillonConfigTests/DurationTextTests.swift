import Testing

@testable import CarillonConfig

@Suite("Durations as text")
struct DurationTextTests {
    @Test(arguments: [
        ("0", Duration.zero), ("900", .seconds(900)), ("900s", .seconds(900)), ("500ms", .milliseconds(500)),
        ("15m", .seconds(900)), ("2h", .seconds(7_200)), ("15d", .seconds(1_296_000)), ("007", .seconds(7)),
    ])
    func isRead(text: String, duration: Duration) {
        #expect(DurationText.parse(text) == duration)
    }

    @Test(arguments: [
        "", "s", "-1", "+1", "1.5", "1 s", " 1", "1S", "1M", "1w", "1ss", "1m30s", "١", "9223372036854775807d",
    ])
    func isRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.zero, "0s"), (.milliseconds(100), "100ms"), (.milliseconds(1_500), "1500ms"), (.seconds(90), "90s"),
        (.seconds(900), "15m"), (.seconds(7_200), "2h"), (.seconds(1_296_000), "15d"),
    ])
    func isWritten(duration: Duration, text: String) {
        #expect(DurationText.format(duration) == text)
        #expect(DurationText.parse(text) == duration)
    }
}
