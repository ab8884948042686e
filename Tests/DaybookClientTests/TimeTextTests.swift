import DaybookCore
import DaybookWire
import Foundation
import Testing

@testable import DaybookClient

@Suite("Times as people write them")
struct TimeTextTests {
    private let now = try? RFC3339.parse("2026-03-01T12:00:00Z")

    @Test(
        "one moment, written in many ways",
        arguments: [
            "2026-12-24T17:00:00Z", "2026-12-24T18:00:00+01:00", "2026-12-24 18:00 Europe/Berlin",
            "2026-12-24 18:00:00 Europe/Berlin", "2026-12-24T18:00 Europe/Berlin",
            "2026-12-24 17:00 UTC", "2026-12-24 12:00 -05:00", " 2026-12-24  17:00 Z ",
            "2026-12-24 12:00 America/New_York",
        ])
    func forms(text: String) throws {
        #expect(RFC3339.format(try TimeText.parse(text)) == "2026-12-24T17:00:00Z")
    }

    @Test("the zone that is given apart is that of times without one, and of no other")
    func zone() throws {
        let local = try TimeText.parse("2026-07-01 08:30", zone: "Europe/Berlin")
        #expect(RFC3339.format(local) == "2026-07-01T06:30:00Z")
        let own = try TimeText.parse("2026-07-01 08:30 Asia/Tokyo", zone: "Europe/Berlin")
        #expect(RFC3339.format(own) == "2026-06-30T23:30:00Z")
    }

    @Test(
        "what names no one moment is refused, with the reason",
        arguments: [
            ("2026-12-24 18:00", "has no time zone"), ("2026-12-24T18:00:00", "has no time zone"),
            ("2026-12-24 18:00 Mars/Base", "is not a time zone"), ("tomorrow", "is not a time"),
            ("2026-02-30 18:00 UTC", "has no day 30"), ("2026-02-30T18:00:00Z", "has no day 30"),
            ("2026-12-24 25:00 Europe/Berlin", "hour"), ("", "is not a time"),
            // Clocks are put forward from 2:00 to 3:00, and back from 3:00 to 2:00.
            ("2026-03-29 02:30 Europe/Berlin", "does not exist"),
            ("2026-10-25 02:30 Europe/Berlin", "2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z"),
        ])
    func refusals(text: String, reason: String) {
        let error = #expect(throws: TimeTextError.self) { try TimeText.parse(text) }
        #expect(error?.description.contains(reason) == true, "\(error as Any)")
    }

    @Test("beside a change of clocks, times are what they say")
    func besideChanges() throws {
        for (text, utc) in [
            ("2026-03-29 01:59 Europe/Berlin", "2026-03-29T00:59:00Z"),
            ("2026-03-29 03:00 Europe/Berlin", "2026-03-29T01:00:00Z"),
            ("2026-10-25 01:59 Europe/Berlin", "2026-10-24T23:59:00Z"),
            ("2026-10-25 03:00 Europe/Berlin", "2026-10-25T02:00:00Z"),
        ] {
            #expect(RFC3339.format(try TimeText.parse(text)) == utc)
        }
    }

    @Test("lengths of time")
    func durations() throws {
        for (text, seconds) in [
            ("90s", 90), ("10m", 600), ("1h30m", 5_400), ("2d", 172_800), ("1w", 604_800),
            ("-30m", -1_800), ("1h 5s", 3_605),
        ] {
            #expect(try TimeText.parseDuration(text) == seconds)
        }
        for text in ["", "10", "m", "1m1h", "1x", "-", "1.5h", "99999999999999999999d", "1m1m"] {
            #expect(throws: TimeTextError.self) { try TimeText.parseDuration(text) }
        }
    }

    @Test("how far away a moment is")
    func distances() throws {
        let now = try #require(now)
        for (seconds, text) in [
            (11_520, "in 3 h 12 min"), (-187_200, "2 d 4 h ago"), (0, "now"), (59, "in 59 s"),
            (3_601, "in 1 h"), (90, "in 1 min 30 s"),
        ] {
            #expect(TimeText.relative(now.adding(seconds: seconds), now: now) == text)
        }
    }

    @Test("on the clocks of a zone, beside UTC")
    func local() throws {
        let now = try #require(now)
        let zone = try #require(TimeZone(identifier: "Asia/Tokyo"))
        let text = TimeText.whole(now.adding(seconds: 60), now: now, zone: zone)
        #expect(text.hasPrefix("2026-03-01 21:01:00 "))
        #expect(text.hasSuffix("  2026-03-01T12:01:00Z  (in 1 min)"))
    }
}
