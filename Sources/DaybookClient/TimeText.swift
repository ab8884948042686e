import DaybookCore
import DaybookWire
import Foundation

/// A text that names no one moment, with the reason.
package struct TimeTextError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Moments as people write and read them.
package enum TimeText {
    // MARK: Reading

    /// Reads RFC 3339 with a zone, or a date and a time of day followed by a zone: `2026-12-24 18:00
    /// Europe/Berlin`, `2026-12-24T18:00:30 +01:00`. The zone is a name of the IANA database, `UTC`, `Z` or
    /// an offset; where it is not in the text it is `zone`. A local time that does not exist, or exists
    /// twice, because clocks are changed, is refused.
    package static func parse(_ text: String, zone: String? = nil) throws(TimeTextError) -> Instant
    {
        let words = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        if words.count == 1, let instant = try? RFC3339.parse(text) { return instant }
        let parts: (day: String, time: String, zone: String?)
        let first = words.first?.split(separator: "T", maxSplits: 1).map(String.init) ?? []
        switch (first.count, words.count) {
        case (2, 1): parts = (first[0], first[1], nil)
        case (2, 2): parts = (first[0], first[1], words[1])
        case (1, 2): parts = (first[0], words[1], nil)
        case (1, 3): parts = (first[0], words[1], words[2])
        default: throw form(text)
        }
        let time =
            parts.time.split(separator: ":").count == 2 ? parts.time + ":00" : parts.time
        guard let name = parts.zone ?? zone else {
            // With its zone in the same word it is RFC 3339, and what is wrong with it is said by its rules.
            do throws(TimeSyntaxError) {
                return try RFC3339.parse("\(parts.day)T\(time)")
            } catch  where (try? RFC3339.parse("\(parts.day)T\(time)Z")) == nil {
                throw TimeTextError("\(text): \(error.message)")
            } catch {
                throw TimeTextError(
                    "\(text) has no time zone: append one, as in \"\(text) Europe/Berlin\" or UTC")
            }
        }
        if let offset = offset(name) {
            do throws(TimeSyntaxError) {
                return try RFC3339.parse("\(parts.day)T\(time)\(offset)")
            } catch {
                throw TimeTextError("\(text): \(error.message)")
            }
        }
        // Short names such as IST are several places' own.
        guard name.contains("/"), let zone = TimeZone(identifier: name) else {
            throw TimeTextError(
                "\(name) is not a time zone: write a name such as Europe/Berlin, UTC, or +01:00")
        }
        let local: Instant
        do throws(TimeSyntaxError) {
            local = try RFC3339.parse("\(parts.day)T\(time)Z")
        } catch {
            throw TimeTextError("\(text): \(error.message)")
        }
        return try instant(local, in: zone, of: text)
    }

    /// The moment at which clocks in `zone` show what UTC's show at `local`.
    private static func instant(
        _ local: Instant, in zone: TimeZone, of text: String
    ) throws(TimeTextError) -> Instant {
        let day = 86_400
        let offsets = Set([-day, day].map { offset(zone, at: local.adding(seconds: $0)) })
        let candidates = offsets.map { local.adding(seconds: -$0) }
            .filter { $0.adding(seconds: offset(zone, at: $0)) == local }.sorted()
        switch candidates.count {
        case 1: return candidates[0]
        case 0:
            throw TimeTextError(
                "\(text) does not exist: clocks in \(zone.identifier) are put forward over it")
        default:
            let both = candidates.map(RFC3339.format).joined(separator: " or ")
            throw TimeTextError(
                "\(text) happens twice, since clocks in \(zone.identifier) are put back: write \(both)"
            )
        }
    }

    private static func offset(_ zone: TimeZone, at instant: Instant) -> Int {
        zone.secondsFromGMT(
            for: Date(timeIntervalSince1970: Double(instant.microseconds) / 1_000_000))
    }

    /// `Z` or an offset as RFC 3339 writes it.
    private static func offset(_ name: String) -> String? {
        if ["Z", "z", "UTC", "utc", "GMT"].contains(name) { return "Z" }
        return name.wholeMatch(of: /[+-]\d\d:\d\d/) == nil ? nil : name
    }

    private static func form(_ text: String) -> TimeTextError {
        TimeTextError(
            "\(text) is not a time: write 2026-12-24T18:00:00Z, or \"2026-12-24 18:00 Europe/Berlin\""
        )
    }

    private static let units: [(name: Character, seconds: Int)] = [
        ("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1),
    ]

    /// Reads a length of time: `90s`, `10m`, `1h30m`, `2d`, `1w`; a minus before it makes it negative.
    ///
    /// - Returns: seconds.
    package static func parseDuration(_ text: String) throws(TimeTextError) -> Int {
        let mistake = TimeTextError(
            "\(text) is not a length of time: write 90s, 10m, 1h30m, 2d or 1w")
        let isNegative = text.hasPrefix("-")
        var seconds = 0
        var digits = ""
        var smallest = Int.max
        for character in text.dropFirst(isNegative ? 1 : 0) where character != " " {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            guard let number = Int(digits), number < 1_000_000_000,
                let unit = units.first(where: { $0.name == character }), unit.seconds < smallest
            else { throw mistake }
            smallest = unit.seconds
            seconds += number * unit.seconds
            digits = ""
        }
        guard digits.isEmpty, smallest != .max else { throw mistake }
        return isNegative ? -seconds : seconds
    }

    // MARK: Writing

    /// How far away: `in 3 h 12 min`, `2 d 4 h ago`, `now`.
    package static func relative(_ instant: Instant, now: Instant) -> String {
        let microseconds = instant.microseconds(since: now)
        let seconds = Int(abs(microseconds) / 1_000_000)
        guard seconds > 0 else { return "now" }
        let text = duration(seconds: seconds)
        return microseconds > 0 ? "in \(text)" : "\(text) ago"
    }

    /// The two largest units that are not zero: `3 h 12 min`, `45 s`.
    package static func duration(seconds: Int) -> String {
        let names = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
        guard let first = names.firstIndex(where: { seconds >= $0.1 }) else { return "0 s" }
        var left = seconds
        return names[first..<min(first + 2, names.count)].compactMap { name, length in
            let count = left / length
            left %= length
            return count > 0 ? "\(count) \(name)" : nil
        }.joined(separator: " ")
    }

    /// Date and time on the clocks of `zone`, with its abbreviation: `2026-12-24 18:00:00 CET`.
    package static func local(_ instant: Instant, zone: TimeZone) -> String {
        let shifted = RFC3339.format(
            Instant(microseconds: instant.microseconds / 1_000_000 * 1_000_000)
                .adding(seconds: offset(zone, at: instant)))
        let seconds = Double(instant.microseconds) / 1_000_000
        let name =
            zone.abbreviation(for: Date(timeIntervalSince1970: seconds)) ?? zone.identifier
        return shifted.dropLast().replacing("T", with: " ") + " " + name
    }

    /// On the clocks here, in UTC, and how far away.
    package static func whole(_ instant: Instant, now: Instant, zone: TimeZone) -> String {
        let here = zone.secondsFromGMT() == 0 ? "" : local(instant, zone: zone) + "  "
        return "\(here)\(RFC3339.format(instant))  (\(relative(instant, now: now)))"
    }
}
