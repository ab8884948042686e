import Glibc

/// Moments and how they are written. Nanoseconds for what is measured, microseconds for what is told.
enum Moments {
    /// Nanoseconds of a clock that never jumps.
    static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970, by the clock that the server goes by.
    static func wall() -> Int64 { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Appends `2026-11-28T12:00:00.123456Z`.
    static func write(_ microseconds: Int64, to bytes: inout [UInt8]) {
        let (second, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let (day, ofDay) = second.quotientAndRemainder(dividingBy: 86_400)
        // Days to a date, by eras of 400 years (Howard Hinnant, "chrono-compatible date algorithms").
        let shifted = day + 719_468
        let era = shifted / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * ofYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        digits(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4, &bytes)
        bytes.append(UInt8(ascii: "-"))
        digits(month, 2, &bytes)
        bytes.append(UInt8(ascii: "-"))
        digits(ofYear - (153 * part + 2) / 5 + 1, 2, &bytes)
        bytes.append(UInt8(ascii: "T"))
        digits(ofDay / 3_600, 2, &bytes)
        bytes.append(UInt8(ascii: ":"))
        digits(ofDay / 60 % 60, 2, &bytes)
        bytes.append(UInt8(ascii: ":"))
        digits(ofDay % 60, 2, &bytes)
        bytes.append(UInt8(ascii: "."))
        digits(fraction, 6, &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    static func digits(_ value: Int64, _ count: Int, _ bytes: inout [UInt8]) {
        let start = bytes.count
        for _ in 0..<count { bytes.append(UInt8(ascii: "0")) }
        var rest = value
        for place in stride(from: start + count - 1, through: start, by: -1) {
            bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    /// Microseconds since 1970 of a time as the server writes it: UTC, `Z`, up to six digits of a second.
    static func read(_ text: some Collection<UInt8>) -> Int64? {
        let bytes = Array(text)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), let year = number(0..<4),
            let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        var fraction: Int64 = 0
        if bytes[19] == UInt8(ascii: ".") {
            let digits = bytes.count - 21
            guard (1...6).contains(digits), let value = number(20..<bytes.count - 1) else {
                return nil
            }
            fraction = (digits..<6).reduce(value) { value, _ in value * 10 }
        } else if bytes.count != 20 {
            return nil
        }
        let fromMarch = month > 2 ? month - 3 : month + 9
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let ofEra = shifted - era * 400
        let days = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100
        let date = days + (153 * fromMarch + 2) / 5 + day - 1 - 719_468
        return ((date * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + fraction
    }
}
