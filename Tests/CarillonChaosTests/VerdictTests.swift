import CarillonChaos
import NIOCore
import Testing

@Suite struct VerdictTests {
    let book = Book()

    private func verdict(_ audit: AuditReport = AuditReport(), world: Findings = Findings()) -> Verdict {
        let ledger = book.ledger.snapshot()
        return Verdict(seed: 42, command: "CHAOS_SEED=42 make chaos", ledger: ledger, audit: audit, world: world)
    }

    @Test func greenRun() {
        let device = book.device()
        let token = book.post()
        book.pass(.milliseconds(12))
        book.push(token, to: device)
        let fault = book.fault()
        book.pass(.seconds(3))
        book.ledger.faultEnded(fault)
        let verdict = verdict()
        let text = verdict.text
        #expect(verdict.isGreen && verdict.lost == 0)
        for part in [
            "verdict: green", "seed: 42", "1. fault (of a test): at 12.0 ms, for 3000.0 ms, recovered in 0.0 ms",
            "again: CHAOS_SEED=42 make chaos", "quiet          p50 12.0 ms, p99 12.0 ms, max 12.0 ms, of 1",
        ] {
            #expect(text.contains(part), "\(part) in:\n\(text)")
        }
        #expect(!text.contains("findings"))
    }

    @Test func lostIsCountedOnceWhereverItIsMissed() {
        _ = book.device()
        book.post()
        var audit = AuditReport()
        audit.lost = [0]
        audit.findings.add(.notStored, "post 0")
        let verdict = verdict(audit)
        #expect(!verdict.isGreen && verdict.lost == 1)
        #expect(verdict.text.contains("verdict: RED"))
        #expect(verdict.text.contains("not delivered: post 0 to user 0"))
        #expect(verdict.text.contains("not stored: post 0"))
    }

    @Test func excusedIsSaidWithTheReasonAndGreen() {
        _ = book.device()
        book.post()
        book.ledger.faultEnded(book.fault(.unsynced(.seconds(2))))
        var audit = AuditReport()
        audit.excused = [0: [0]]
        audit.excusedReads = [0: 3]
        let verdict = verdict(audit)
        #expect(verdict.isGreen)
        let reason = "excused: 1 notifications, 3 reads, because Redis had not synced the last 2000.0 ms"
        #expect(verdict.text.contains(reason), "\(verdict.text)")
    }

    @Test func whatTheWorldFoundCounts() {
        var world = Findings()
        world.add(.podEnded, "pod-2 with status 1")
        let verdict = verdict(world: world)
        #expect(!verdict.isGreen && verdict.count(.podEnded) == 1)
        #expect(verdict.text.contains("pod ended by itself: pod-2 with status 1"))
    }

    @Test func twentyFindingsAreShown() {
        let device = book.device()
        for token in 100..<130 { book.push(token, to: device) }
        let text = verdict().text
        #expect(text.contains("findings (20 of 30):"))
        #expect(text.split(separator: "\n").count { $0.hasPrefix("  pushed or stored, but never posted: ") } == 20)
    }

    @Test func manyOfOneKindDoNotHideAnother() {
        let device = book.device()
        for token in 100..<130 { book.push(token, to: device) }
        book.post()
        let text = verdict().text
        #expect(text.contains("findings (11 of 31):"))
        #expect(text.contains("  not delivered: post 0"))
    }
}
