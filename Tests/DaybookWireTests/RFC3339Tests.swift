import DaybookCore
import Testing

@testable import DaybookWire

private func parsed(_ text: String) throws -> Int64 { try RFC3339.parse(text).microseconds }

private func refusal(_ text: String) -> String? {
    do throws(TimeSyntaxError) {
        _ = try RFC3339.parse(text)
        return nil
    } catch {
        return error.message
    }
}

private let form = "must be an RFC 3339 date and time such as 2026-03-01T17:00:00Z"
private let noZone = "must have a time zone: Z, or an offset such as +02:00"

@Suite struct `Times in RFC 3339` {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-03-01T17:00:00Z", 1_772_384_400_000_000),
            ("2026-03-01t17:00:00z", 1_772_384_400_000_000),
            ("2026-03-01T19:00:00+02:00", 1_772_384_400_000_000),
            ("2026-03-01T11:30:00-05:30", 1_772_384_400_000_000),
            ("2026-03-01T17:00:00-00:00", 1_772_384_400_000_000),
            ("2026-03-01T17:00:00.5Z", 1_772_384_400_500_000),
            ("2026-03-01T17:00:00.000001Z", 1_772_384_400_000_001),
            ("2026-03-01T17:00:00.1234560000000000000000Z", 1_772_384_400_123_456),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("2000-02-29T23:59:59Z", 951_868_799_000_000),
            ("1970-01-01T23:59:00+23:59", 0), ("1969-12-31T00:01:00-23:59", 0),
            ("9999-12-31T23:59:59.999999Z", Instant.latest.microseconds),
            ("9999-12-31T22:59:59.999999-01:00", Instant.latest.microseconds),
        ] as [(String, Int64)])
    func `are read with every form of zone and fraction`(text: String, value: Int64) throws {
        #expect(try parsed(text) == value)
    }

    @Test(arguments: [
        ("", form), ("now", form), ("2026-03-01", form), ("2026-03-01T17:00Z", form),
        ("2026-03-01 17:00:00Z", form), ("20260301T170000Z", form), ("2026-W09-7T17:00:00Z", form),
        ("2026-060T17:00:00Z", form), ("26-03-01T17:00:00Z", form), ("12026-03-01T17:00:00Z", form),
        ("+2026-03-01T17:00:00Z", form), ("2026-3-1T17:00:00Z", form),
        ("2026-03-01T17:00:00.Z", form),
        ("2026-03-01T17:00:00,5Z", form), ("2026-03-01T17:00:00Zx", form),
        ("2026-03-01T17:00:00Z ", form),
        (" 2026-03-01T17:00:00Z", form), ("2026-03-01T17:00:00+2:00", form),
        ("2026-03-01T17:00:00+0200", form), ("2026-03-01T17:00:00+02", form),
        ("2026-03-01T17:00:00 +02:00", form), ("2026-03-01T17:00:00UTC", form),
        ("2026-03-01T17:00:00Z[Europe/Berlin]", form), ("２０２６-03-01T17:00:00Z", form),
        ("2026-03-01T17:00:00", noZone), ("2026-03-01T17:00:00.5", noZone),
        ("2026-03-01T17:00:00+24:00", "must have a zone between -23:59 and +23:59"),
        ("2026-03-01T17:00:00+25:00", "must have a zone between -23:59 and +23:59"),
        ("2026-03-01T17:00:00-01:60", "must have a zone between -23:59 and +23:59"),
        ("2026-02-30T17:00:00Z", "must be a date of the calendar: 2026-02 has no day 30"),
        ("2026-02-29T17:00:00Z", "must be a date of the calendar: 2026-02 has no day 29"),
        ("2100-02-29T17:00:00Z", "must be a date of the calendar: 2100-02 has no day 29"),
        ("2026-04-31T17:00:00Z", "must be a date of the calendar: 2026-04 has no day 31"),
        ("2026-12-32T17:00:00Z", "must be a date of the calendar: 2026-12 has no day 32"),
        ("2026-03-00T17:00:00Z", "must be a date of the calendar: 2026-03 has no day 0"),
        ("2026-13-01T17:00:00Z", "must be a date and time that exists: there is no month 13"),
        ("2026-00-01T17:00:00Z", "must be a date and time that exists: there is no month 0"),
        ("2026-03-01T24:00:00Z", "must be a date and time that exists: there is no hour 24"),
        ("2026-03-01T17:60:00Z", "must be a date and time that exists: there is no minute 60"),
        ("2026-03-01T17:00:61Z", "must be a date and time that exists: there is no second 61"),
        ("2016-12-31T23:59:60Z", "must not be a leap second: second 60 is not accepted"),
        (
            "2026-03-01T17:00:00.1234567Z",
            "must not be finer than microseconds: six digits at most"
        ),
        ("1969-12-31T23:59:59.999999Z", "must lie in the years 1970 to 9999 in UTC"),
        ("1970-01-01T00:00:00+00:01", "must lie in the years 1970 to 9999 in UTC"),
        ("9999-12-31T23:59:59-00:01", "must lie in the years 1970 to 9999 in UTC"),
        ("0000-01-01T00:00:00Z", "must lie in the years 1970 to 9999 in UTC"),
    ])
    func `are refused with a word about what is wrong`(text: String, message: String) {
        #expect(refusal(text) == message)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000001Z"),
            (1_772_384_400_500_000, "2026-03-01T17:00:00.500000Z"),
            (1_772_384_400_000_000, "2026-03-01T17:00:00Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (253_402_300_800_000_000, "010000-01-01T00:00:00Z"),
            (.max, "294247-01-10T04:00:54.775807Z"), (.min, "-290308-12-21T19:59:05.224192Z"),
        ] as [(Int64, String)])
    func `are written in UTC, with microseconds only where they are not zero`(
        microseconds: Int64, text: String
    ) {
        #expect(RFC3339.format(Instant(microseconds: microseconds)) == text)
    }

    @Test func `agree with a calendar that is walked day by day`() throws {
        var (year, month, day, days) = (1970, 1, 1, Int64(0))
        while year < 10_000 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
            // Every day of the years in use; of the others the days around each leap day and year.
            let isEdge = (day == 1 || day == length) && (month <= 3 || month == 12)
            if year < 2040 || isEdge {
                let date = "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))"
                let instant = Instant(microseconds: days * 86_400_000_000)
                let text = RFC3339.format(instant)
                let back = try RFC3339.parse(text)
                guard text == date + "T00:00:00Z", back == instant else {
                    Issue.record("\(date) became \(text)")
                    return
                }
            }
            days += 1
            day += 1
            if day > length { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(days * 86_400_000_000 - 1 == Instant.latest.microseconds)
    }

    @Test func `come back as the same instant after writing, whatever the zone`() throws {
        var numbers = SeededNumbers()
        let range = 86_400_000_000...(Instant.latest.microseconds - 86_400_000_000)
        for _ in 0..<2000 {
            let instant = Instant(microseconds: Int64.random(in: range, using: &numbers))
            #expect(try RFC3339.parse(RFC3339.format(instant)) == instant)

            let minutes = Int64.random(in: -1439...1439, using: &numbers)
            let local = Instant(microseconds: instant.microseconds + minutes * 60_000_000)
            let sign = minutes < 0 ? "-" : "+"
            let zone = "\(sign)\(pad(Int(abs(minutes)) / 60, 2)):\(pad(Int(abs(minutes)) % 60, 2))"
            #expect(try RFC3339.parse(RFC3339.format(local).dropLast() + zone) == instant)
        }
    }

    @Test func `never trap on mutated texts, and read only what is written back alike`() {
        var numbers = SeededNumbers()
        let characters = Array("0123456789-:.TZtz+ ,".utf8)
        for _ in 0..<5000 {
            var text = Array("2026-02-28T23:59:59.999999+01:00".utf8)
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                text[Int.random(in: 0..<text.count, using: &numbers)] =
                    characters.randomElement(using: &numbers) ?? 0
            }
            guard let instant = try? RFC3339.parse(text) else { continue }
            #expect((try? RFC3339.parse(RFC3339.format(instant))) == instant)
        }
    }
}

private func pad(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: width - digits.count) + digits
}
