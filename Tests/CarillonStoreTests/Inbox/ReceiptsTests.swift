import CarillonDomain
import CarillonRedis
import Testing

@testable import CarillonStore

@Suite struct ReceiptsTests {
    private func entry(_ id: String, _ name: String = "n") -> EntryReference {
        EntryReference(streamID: StreamID(id)!, notificationID: NotificationID(name))
    }

    private func receipts(_ fields: String...) -> Receipts {
        Receipts(.array(fields.map { .bytes(Array($0.utf8)) }))
    }

    @Test func runsOfAllPodsCountForWhatLiesInThem() {
        let receipts = receipts("pod1:5-0", "7-0 2 100", "pod2:6-0", "9-0 1 90")
        #expect(receipts[entry("5-0")].devices == 2)
        #expect(receipts[entry("6-0")].devices == 3)
        #expect(receipts[entry("7-0")].deliveredAt == 90)
        #expect(receipts[entry("9-0")].devices == 1)
        for outside in ["4-9", "9-1"] {
            #expect(receipts[entry(outside)].devices == 0)
            #expect(receipts[entry(outside)].deliveredAt == nil)
        }
    }

    @Test func aPushIsNoOlderThanItsEntry() {
        #expect(receipts("pod:100-0", "300-0 1 101")[entry("200-0")].deliveredAt == 200)
    }

    @Test func replaysAndReadsAreThoseOfOneNotification() {
        let receipts = receipts("a:b:replays", "2", "a:b:replayed", "7", "a:b:read", "9", "other:read", "8")
        let receipt = receipts[entry("1-0", "a:b")]
        #expect(receipt.devices == 2)
        #expect(receipt.deliveredAt == 7)
        #expect(receipt.readAt == 9)
        #expect(receipts[entry("1-0")].readAt == nil)
    }

    @Test func fieldsGoWithTheEntriesThatTheyAreAbout() {
        let kept = [StoredEntry(id: StreamID("8-0")!, notificationID: NotificationID("n"))]
        func isOutdated(_ field: String, _ value: String, _ kept: [StoredEntry]) -> Bool {
            Receipts.isOutdated(
                field: field,
                value: value,
                kept: kept,
                ids: Set(kept.compactMap { $0.notificationID?.text })
            )
        }
        #expect(isOutdated("pod:5-0", "7-9 1 1", kept))
        #expect(!isOutdated("pod:5-0", "8-0 1 1", kept))
        #expect(isOutdated("pod:5-0", "8-0 1 1", []))
        #expect(!isOutdated("n:read", "1", kept))
        #expect(isOutdated("m:read", "1", kept))
        #expect(isOutdated("nonsense", "1", kept))
    }
}
