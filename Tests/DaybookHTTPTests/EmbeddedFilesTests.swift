import Foundation
import HTTPTypes
import Testing

@testable import DaybookHTTP

/// What the binary serves is what the checkout holds.
@Suite("Embedded files")
struct EmbeddedFilesTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("tools/generate-embedded was run after the last change")
    func areUpToDate() throws {
        #expect(try text("docs/openapi.yaml") == EmbeddedFiles.openAPI)
        let folder = "Sources/DaybookHTTP/Page"
        let names = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appendingPathComponent(folder).path)
        #expect(Set(names) == Set(EmbeddedFiles.page.keys))
        for name in names {
            #expect(try text("\(folder)/\(name)") == EmbeddedFiles.page[name], "\(name)")
        }
    }

    @Test("all of the page is under 150 KB")
    func isSmall() {
        #expect(EmbeddedFiles.page.values.reduce(0) { $0 + $1.utf8.count } < 150 << 10)
    }

    @Test("the description has every route, and no other")
    func describesEveryRoute() {
        var described: Set<String> = []
        var path = ""
        var isInPaths = false
        for line in EmbeddedFiles.openAPI.split(separator: "\n") {
            if !line.hasPrefix(" ") { isInPaths = line == "paths:" }
            guard isInPaths else { continue }
            if let match = line.wholeMatch(of: /\ {2}(\/\S*):/) { path = String(match.1) }
            if let match = line.wholeMatch(of: /\ {4}(get|post|put|patch|delete):/) {
                described.insert("\(match.1.uppercased()) \(path)")
            }
        }
        // The page's own files are no part of the API.
        let routes = Set(
            Route.all.filter { !["/", "/page/{file}"].contains($0.path) }
                .map { "\($0.method.rawValue) \($0.path)" })
        #expect(described.subtracting(routes) == [])
        #expect(routes.subtracting(described) == [])
    }
}
