import Foundation

/// The checkout's files as text.
struct Tree {
    struct File {
        /// From the top of the checkout.
        let path: String
        let text: String

        var lines: [(number: Int, text: Substring)] {
            text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
                .map { ($0.offset + 1, $0.element) }
        }
    }

    let root: URL

    init() {
        root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    func topLevel() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.path).sorted()
    }

    /// The files under a folder whose names end so; generated Swift is nobody's style.
    func files(under folder: String, ending: String) throws -> [File] {
        let start = root.appendingPathComponent(folder)
        guard let names = FileManager.default.enumerator(atPath: start.path) else { return [] }
        var files: [File] = []
        for case let name as String in names
        where name.hasSuffix(ending) && !name.hasSuffix(".pb.swift")
            && !name.hasSuffix(".generated.swift")
        {
            let url = start.appendingPathComponent(name)
            files.append(
                File(
                    path: "\(folder)/\(name)", text: try String(contentsOf: url, encoding: .utf8)))
        }
        return files.sorted { $0.path < $1.path }
    }
}
