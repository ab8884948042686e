/// What is different between two stored definitions.
package enum DefinitionDiff {
    /// A value that is not the same on both sides; one that is absent on a side is `nil` there.
    package struct Change: Equatable, Sendable {
        /// Names and indexes from the outside in, with dots between them: `executor.headers.X-Team`.
        package let path: String
        package let old: [UInt8]?
        package let new: [UInt8]?
    }

    /// In the order of the paths. Secrets are shown as `{"secret": true}`, and as changed where they were set
    /// anew.
    package static func changes(from old: [UInt8], to new: [UInt8]) -> [Change] {
        let (old, new) = (leaves(of: old), leaves(of: new))
        let paths = Set(old.keys).union(new.keys).sorted()
        return paths.compactMap { path in
            let (before, after) = (old[path], new[path])
            guard before != after else { return nil }
            return Change(path: path, old: before?.shown, new: after?.shown)
        }
    }

    private struct Leaf: Equatable {
        let bytes: [UInt8]
        let isSealed: Bool

        var shown: [UInt8] { isSealed ? Array(#"{"secret": true}"#.utf8) : bytes }
    }

    private static func leaves(of bytes: [UInt8]) -> [String: Leaf] {
        guard let root = try? JSONScanner.scan(bytes) else { return [:] }
        var leaves: [String: Leaf] = [:]
        func visit(_ node: JSONNode, _ path: [String]) {
            func leaf(isSealed: Bool = false) {
                leaves[path.joined(separator: ".")] = Leaf(
                    bytes: Array(node.bytes(in: bytes)), isSealed: isSealed)
            }
            switch node.kind {
            case .object(let members) where members.map(\.name) == ["sealed"]:
                leaf(isSealed: true)
            case .object(let members) where !members.isEmpty:
                for member in members { visit(member.value, path + [member.name]) }
            case .array(let elements) where !elements.isEmpty:
                for (index, element) in elements.enumerated() {
                    visit(element, path + [String(index)])
                }
            default: leaf()
            }
        }
        visit(root, [])
        return leaves
    }
}
