import DaybookCore

/// A text that names no point in time that Daybook takes.
package struct TimeSyntaxError: Error, Equatable, Sendable {
    /// Why, as the end of a sentence about the field, such as `must have a time zone: …`.
    package let message: String

    init(_ message: String) { self.message = message }
}

/// Points in time as RFC 3339, section 5.6, writes them.
package enum RFC3339 {
    /// Reads a date and time with a zone: `2026-03-01T17:00:00Z`, `2026-03-01t18:00:00.5+01:00`.
    ///
    /// Of RFC 3339 these are refused: second 60, since the service's clock has none; digits beyond
    /// microseconds that are not zero; and years that lie outside 1970 to 9999 in UTC. Dates that
    /// the calendar does not have are refused, not carried over. Lower-case `t` and `z` and the
    /// zone `-00:00` are accepted as the RFC has them.
    package static func parse(_ text: String) throws(TimeSyntaxError) -> Instant {
        try parse(Array(text.utf8))
    }

    /// As ``parse(_:)-(String)``, of ASCII bytes.
    package static func parse(_ text: [UInt8]) throws(TimeSyntaxError) -> Instant {
        var reader = Reader(text: text)
        let year = try reader.number(digits: 4)
        try reader.skip("-")
        let month = try reader.number(digits: 2)
        try reader.skip("-")
        let day = try reader.number(digits: 2)
        guard reader.skipIfThere("T") || reader.skipIfThere("t") else { throw .form }
        let hour = try reader.number(digits: 2)
        try reader.skip(":")
        let minute = try reader.number(digits: 2)
        try reader.skip(":")
        let second = try reader.number(digits: 2)
        let microsecond = try reader.fraction()
        let offsetMinutes = try reader.zone()

        guard 1...12 ~= month else { throw .missing("month", month) }
        guard 1...daysInMonth(month, of: year) ~= day else {
            throw TimeSyntaxError(
                "must be a date of the calendar: \(year)-\(twoDigits(month)) has no day \(day)")
        }
        guard hour < 24 else { throw .missing("hour", hour) }
        guard minute < 60 else { throw .missing("minute", minute) }
        guard second != 60 else {
            throw TimeSyntaxError("must not be a leap second: second 60 is not accepted")
        }
        guard second < 60 else { throw .missing("second", second) }

        let minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes
        let microseconds = (minutes * 60 + second) * 1_000_000 + microsecond
        let instant = Instant(microseconds: Int64(microseconds))
        guard Instant.epoch <= instant && instant <= Instant.latest else {
            throw TimeSyntaxError("must lie in the years 1970 to 9999 in UTC")
        }
        return instant
    }

    /// The instant in UTC with `Z`, and with six digits of microseconds where they are not zero.
    /// Equal instants give equal texts. Outside `Instant.epoch...Instant.latest` the text is no
    /// longer RFC 3339 but still names the instant.
    package static func format(_ instant: Instant) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(27)
        append(instant, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends what ``format(_:)`` gives.
    package static func append(_ instant: Instant, to bytes: inout [UInt8]) {
        let (seconds, microsecond) = flooredDivision(Int(instant.microseconds), 1_000_000)
        let (days, second) = flooredDivision(seconds, 86_400)
        let (year, month, day) = date(daysSince1970: days)
        if year < 0 { bytes.append(UInt8(ascii: "-")) }
        append(abs(year), digits: abs(year) > 9999 ? 6 : 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        append(second / 3600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(second / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(second % 60, digits: 2, to: &bytes)
        if microsecond != 0 {
            bytes.append(UInt8(ascii: "."))
            append(microsecond, digits: 6, to: &bytes)
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}

// MARK: The Gregorian calendar, without leap seconds

private func flooredDivision(_ number: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

private func daysInMonth(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days from 1970-01-01 to a date. Years are counted from March on, so that the leap day is the
/// last of its year, and in eras of 400 years, after which the calendar repeats.
private func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let (era, yearOfEra) = flooredDivision(month > 2 ? year : year - 1, 400)
    let monthFromMarch = (month + 9) % 12
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

/// The date so many days from 1970-01-01: the inverse of `daysSince1970`.
private func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = flooredDivision(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
}

// MARK: Reading

extension TimeSyntaxError {
    fileprivate static let form = TimeSyntaxError(
        "must be an RFC 3339 date and time such as 2026-03-01T17:00:00Z")
    fileprivate static let noZone = TimeSyntaxError(
        "must have a time zone: Z, or an offset such as +02:00")

    fileprivate static func missing(_ unit: String, _ number: Int) -> TimeSyntaxError {
        TimeSyntaxError("must be a date and time that exists: there is no \(unit) \(number)")
    }
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

private struct Reader {
    let text: [UInt8]
    var index = 0

    init(text: [UInt8]) { self.text = text }

    mutating func number(digits: Int) throws(TimeSyntaxError) -> Int {
        var number = 0
        for _ in 0..<digits {
            guard let digit = nextDigit() else { throw .form }
            number = number * 10 + digit
        }
        return number
    }

    mutating func skipIfThere(_ character: Unicode.Scalar) -> Bool {
        guard index < text.count, UInt32(text[index]) == character.value else { return false }
        index += 1
        return true
    }

    mutating func skip(_ character: Unicode.Scalar) throws(TimeSyntaxError) {
        guard skipIfThere(character) else { throw .form }
    }

    /// The microseconds after an optional full stop.
    mutating func fraction() throws(TimeSyntaxError) -> Int {
        guard skipIfThere(".") else { return 0 }
        var microseconds = 0
        var count = 0
        while let digit = nextDigit() {
            count += 1
            if count <= 6 {
                microseconds = microseconds * 10 + digit
            } else if digit != 0 {
                throw TimeSyntaxError("must not be finer than microseconds: six digits at most")
            }
        }
        guard count > 0 else { throw .form }
        for _ in 0..<max(0, 6 - count) { microseconds *= 10 }
        return microseconds
    }

    /// The minutes by which the zone is ahead of UTC. Nothing may follow it.
    mutating func zone() throws(TimeSyntaxError) -> Int {
        guard index < text.count else { throw .noZone }
        var minutes = 0
        if !skipIfThere("Z") && !skipIfThere("z") {
            let isAhead = skipIfThere("+")
            guard isAhead || skipIfThere("-") else { throw .form }
            let hour = try number(digits: 2)
            try skip(":")
            let minute = try number(digits: 2)
            guard hour < 24 && minute < 60 else {
                throw TimeSyntaxError("must have a zone between -23:59 and +23:59")
            }
            minutes = (hour * 60 + minute) * (isAhead ? 1 : -1)
        }
        guard index == text.count else { throw .form }
        return minutes
    }

    private mutating func nextDigit() -> Int? {
        guard index < text.count, isDigit(text[index]) else { return nil }
        defer { index += 1 }
        return Int(text[index] - UInt8(ascii: "0"))
    }
}
