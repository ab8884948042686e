/// One mistake in a body that is JSON but not what was asked for.
package struct FieldError: Error, Equatable, Sendable {
    /// Where: an RFC 6901 pointer into the body, such as `/retry/max_attempts`; empty for the whole.
    package let pointer: String
    /// What, as the end of a sentence about the field, such as `must be an integer`.
    package let message: String

    package init(pointer: String, message: String) {
        self.pointer = pointer
        self.message = message
    }
}

/// A field of a PATCH, where leaving a field out and sending `null` are two different things.
package enum Field<Value> {
    case absent
    case null
    case value(Value)

    /// The value, where there is one.
    package var value: Value? {
        if case .value(let value) = self { value } else { nil }
    }
}

extension Field: Equatable where Value: Equatable {}
extension Field: Sendable where Value: Sendable {}

/// Reads the fields of a JSON object and gathers every mistake on the way, so that a client sees
/// all of them in one answer.
///
///     let fields = JSONFields(try JSONScanner.scan(body, opaque: ["run_input"]), body: body)
///     let time = fields.required("scheduled_time", .instant)
///     let priority = fields.optional("priority", .integer(0...9)) ?? 5
///     let input = fields.optional("run_input", .raw)
///     guard fields.finish().isEmpty, let time else { throw … fields.errors }
///
/// A field that is wrong reads as one that is not there, after its mistake was noted.
/// Not `Sendable`: a body is read in one place, without a pause.
package final class JSONFields {
    /// The most mistakes that are kept; a body of a hundred thousand unknown fields must not make
    /// an answer of that size.
    package static let maximumErrors = 100

    private let node: JSONNode
    private let members: [JSONMember]
    private let isObject: Bool
    private let place: JSONPlace
    private var wasRead: [Bool]
    /// Objects that were read through this one and are finished together with it.
    fileprivate var nested: [JSONFields] = []
    private var isFinished = false

    /// Reads the object `node`. Where it is no object, that is the one mistake noted.
    ///
    /// - Parameters:
    ///   - body: the body that the node was scanned from.
    ///   - pointer: where the object stands, for the pointers of its fields.
    package convenience init(_ node: JSONNode, body: [UInt8], pointer: String = "") {
        self.init(node, at: JSONPlace(pointer: pointer, body: body, mistakes: JSONMistakes()))
    }

    fileprivate init(_ node: JSONNode, at place: JSONPlace) {
        self.node = node
        self.place = place.withoutOwner
        if case .object(let members) = node.kind {
            self.members = members
            isObject = true
        } else {
            members = []
            isObject = false
            place.report("must be an object")
        }
        wasRead = Array(repeating: false, count: members.count)
    }

    /// The mistakes noted so far, nested objects included, in the order they were met; at most
    /// ``maximumErrors``.
    package var errors: [FieldError] { place.mistakes.errors }

    /// The names of the fields that were sent, in their order.
    package var names: [String] { members.map(\.name) }

    /// Whether a field of this name was sent, `null` included.
    package func has(_ name: String) -> Bool { position(of: name) != nil }

    /// A field that must be there and must not be `null`. `nil` where a mistake was noted.
    package func required<Value>(_ name: String, _ type: JSONType<Value>) -> Value? {
        switch field(name, type, allowsNull: false) {
        case .value(let value)?: return value
        case .absent?:
            if isObject { place.member(name).report("is required") }
            return nil
        case .null?, nil: return nil
        }
    }

    /// A field that may be left out. `null` is a mistake.
    package func optional<Value>(_ name: String, _ type: JSONType<Value>) -> Value? {
        field(name, type, allowsNull: false)?.value
    }

    /// A field that may be left out, and where `null` means the same as that.
    package func nullable<Value>(_ name: String, _ type: JSONType<Value>) -> Value? {
        field(name, type, allowsNull: true)?.value
    }

    /// A field of a PATCH: left out, `null` or a value. `.absent` also after a mistake.
    package func field<Value>(_ name: String, _ type: JSONType<Value>) -> Field<Value> {
        field(name, type, allowsNull: true) ?? .absent
    }

    /// The whole object read as one value; its mistakes join the others.
    package func whole<Value>(_ type: JSONType<Value>) -> Value? {
        wasRead = Array(repeating: true, count: members.count)
        return isObject ? type.read(node, place) : nil
    }

    /// The body that the object stands in.
    package var body: [UInt8] { place.body }

    /// Notes a mistake about the field `name`.
    package func refuse(_ name: String, _ message: String) { place.member(name).report(message) }

    /// Notes a mistake about the object itself.
    package func refuse(_ message: String) { place.report(message) }

    /// Notes every field that nobody asked for, in nested objects too, and returns all mistakes.
    @discardableResult
    package func finish() -> [FieldError] {
        if !isFinished {
            isFinished = true
            for (index, member) in members.enumerated() where !wasRead[index] {
                place.member(member.name).report("is not a known field")
            }
        }
        for fields in nested { fields.finish() }
        return errors
    }

    /// `nil` after a mistake.
    private func field<Value>(
        _ name: String, _ type: JSONType<Value>, allowsNull: Bool
    ) -> Field<Value>? {
        guard let index = position(of: name) else { return .absent }
        wasRead[index] = true
        let node = members[index].value
        if node.isNull && !type.takesNull {
            if allowsNull { return .null }
            place.member(name).report("must not be null")
            return nil
        }
        var member = place.member(name)
        member.owner = self
        guard let value = type.read(node, member) else { return nil }
        return .value(value)
    }

    private func position(of name: String) -> Int? {
        members.firstIndex { haveSameBytes($0.name, name) }
    }
}

/// Where a value stands in a body, and where the mistakes about it go.
package struct JSONPlace {
    private let base: String
    private let step: String?
    /// The whole body that was scanned.
    package let body: [UInt8]
    fileprivate let mistakes: JSONMistakes
    /// The fields that the value is read through. Not kept by the fields themselves: they would
    /// keep one another for ever.
    fileprivate var owner: JSONFields?

    fileprivate init(
        pointer: String, step: String? = nil, body: [UInt8], mistakes: JSONMistakes,
        owner: JSONFields? = nil
    ) {
        base = pointer
        self.step = step
        self.body = body
        self.mistakes = mistakes
        self.owner = owner
    }

    fileprivate var withoutOwner: JSONPlace {
        JSONPlace(pointer: base, step: step, body: body, mistakes: mistakes)
    }

    /// RFC 6901, section 3.
    package var pointer: String {
        guard let step else { return base }
        var text = base + "/"
        for scalar in step.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Notes a mistake about the value.
    package func report(_ message: String) {
        mistakes.add { FieldError(pointer: pointer, message: message) }
    }

    /// The place of a member of this object, or of an element of this array by its index.
    package func member(_ step: String) -> JSONPlace {
        JSONPlace(pointer: pointer, step: step, body: body, mistakes: mistakes, owner: owner)
    }

    /// The object at this place as fields whose mistakes join the others, finished with them.
    func fields(_ node: JSONNode) -> JSONFields? {
        let fields = JSONFields(node, at: self)
        guard case .object = node.kind else { return nil }
        owner?.nested.append(fields)
        return fields
    }
}

/// The mistakes of one body: shared by the fields of all its objects.
private final class JSONMistakes {
    private(set) var errors: [FieldError] = []

    func add(_ error: () -> FieldError) {
        if errors.count < JSONFields.maximumErrors { errors.append(error()) }
    }
}
