/// One field of a protobuf message as it stands in the bytes.
struct WireField {
    enum Value {
        case number(UInt64)
        case bytes([UInt8])
    }

    let number: Int
    var value: Value
}

/// What must be known of a message to change its bytes by hand: which fields are messages, which
/// are enumerations, and which are bytes of one length only. Written down here a second time, from
/// `docs/daybook.proto`.
struct WireMessage: Sendable {
    var messages: [Int: WireMessage] = [:]
    var enumerations: Set<Int> = []
    var fixedBytes: Set<Int> = []

    /// The bytes with one message in it changed, for every message and every change of it.
    func changes(
        of bytes: [UInt8], _ change: ([WireField], WireMessage) -> [[WireField]]
    ) -> [[UInt8]] {
        let fields = Self.fields(of: bytes)
        var changed = change(fields, self).map { Self.bytes(of: $0) }
        for index in fields.indices {
            guard let message = messages[fields[index].number],
                case .bytes(let inner) = fields[index].value
            else { continue }
            for inner in message.changes(of: inner, change) {
                var copy = fields
                copy[index].value = .bytes(inner)
                changed.append(Self.bytes(of: copy))
            }
        }
        return changed
    }

    private static func fields(of bytes: [UInt8]) -> [WireField] {
        var fields: [WireField] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let tag = varint(&rest)
            let value = varint(&rest)
            switch tag & 7 {
            case 0: fields.append(WireField(number: Int(tag >> 3), value: .number(value)))
            case 2:
                let content = Array(rest.prefix(Int(value)))
                rest = rest.dropFirst(Int(value))
                fields.append(WireField(number: Int(tag >> 3), value: .bytes(content)))
            default: preconditionFailure("the schema has no field of wire type \(tag & 7)")
            }
        }
        return fields
    }

    private static func bytes(of fields: [WireField]) -> [UInt8] {
        fields.flatMap { field -> [UInt8] in
            switch field.value {
            case .number(let value): varint(UInt64(field.number) << 3) + varint(value)
            case .bytes(let bytes):
                varint(UInt64(field.number) << 3 | 2) + varint(UInt64(bytes.count)) + bytes
            }
        }
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            value |= UInt64(byte & 127) << shift
            shift += 7
            if byte < 128 { break }
        }
        return value
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value > 127 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 128)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }
}

extension WireMessage {
    static let entry = WireMessage(
        messages: [4: actor, 7: idempotency, 10: event], enumerations: [9], fixedBytes: [3, 5])
    private static let actor = WireMessage(enumerations: [1], fixedBytes: [2])
    private static let idempotency = WireMessage(fixedBytes: [1, 2])
    private static let payload = WireMessage(fixedBytes: [2])
    private static let secret = WireMessage()
    private static let queue = WireMessage(enumerations: [1])
    private static let definition = WireMessage(messages: [2: queue])
    private static let plain = WireMessage()
    private static let object = WireMessage(fixedBytes: [1])
    private static let link = WireMessage(fixedBytes: [1])

    private static let event = WireMessage(messages: [
        1: plain, 2: plain, 3: plain, 4: plain, 5: plain, 6: plain, 10: object, 11: object,
        12: WireMessage(enumerations: [2], fixedBytes: [1, 4]), 13: object,
        20: WireMessage(messages: [4: definition, 6: plain, 8: secret], fixedBytes: [1]),
        21: WireMessage(messages: [7: plain], fixedBytes: [1]), 22: object,
        23: WireMessage(messages: [3: secret], fixedBytes: [1]),
        30: WireMessage(messages: [3: definition], fixedBytes: [1]),
        31: WireMessage(messages: [7: queue], fixedBytes: [1]), 32: object, 33: object,
        40: WireMessage(messages: [4: payload], fixedBytes: [1, 2]),
        41: WireMessage(messages: [4: payload], fixedBytes: [1]), 42: object,
        43: WireMessage(fixedBytes: [1, 3]), 44: object,
        50: WireMessage(
            messages: [5: queue, 10: payload, 11: plain, 15: plain], enumerations: [6],
            fixedBytes: [1, 2, 7, 8]),
        51: WireMessage(messages: [6: plain], fixedBytes: [1]), 52: object, 53: object,
        54: object, 55: WireMessage(messages: [4: payload, 5: link], fixedBytes: [1]),
        56: WireMessage(messages: [5: payload], enumerations: [4], fixedBytes: [1]),
        57: WireMessage(messages: [5: payload, 6: link], enumerations: [4], fixedBytes: [1]),
        58: object, 59: WireMessage(messages: [3: link], fixedBytes: [1]),
    ])
}
