import Foundation
import Testing

/// What holds for the whole checkout and no compiler checks.
@Suite("House rules")
struct HouseRulesTests {
    private let tree = Tree()

    /// What each target may import, beside the system's modules.
    private static let imports: [String: Set<String>] = [
        "DaybookCore": [],
        "LMDB": ["CLMDB"],
        "Libcrypto": ["CLibcrypto"],
        "DaybookStore": [
            "DaybookCore", "LMDB", "Libcrypto", "SwiftProtobuf", "Crypto", "DequeModule",
        ],
        "DaybookEngine": [
            "DaybookCore", "DaybookStore", "ServiceLifecycle", "Logging", "Metrics",
            "CoreMetrics", "DequeModule",
        ],
        "DaybookWire": ["DaybookCore", "Crypto"],
        "DaybookConnectors": [
            "DaybookCore", "DaybookWire", "DaybookEngine", "AsyncHTTPClient", "NIOCore",
            "NIOPosix", "NIOHTTP1", "Crypto", "ServiceLifecycle", "Logging", "Metrics",
        ],
        "DaybookHTTP": [
            "DaybookCore", "DaybookWire", "DaybookEngine", "Hummingbird", "HummingbirdCore",
            "HTTPTypes", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOSSL",
            "ServiceLifecycle", "Logging",
            "CoreMetrics",
        ],
        "DaybookClient": [
            "DaybookCore", "DaybookWire", "ArgumentParser", "AsyncHTTPClient", "Crypto",
            "NIOCore", "NIOHTTP1", "NIOSSL",
        ],
        "daybook": [
            "DaybookCore", "LMDB", "DaybookStore", "DaybookEngine", "DaybookWire",
            "DaybookConnectors", "DaybookHTTP", "DaybookClient", "NIOHTTP1", "ArgumentParser",
            "Configuration",
            "ServiceLifecycle", "UnixSignals", "Logging", "Metrics",
        ],
        "Support": ["DaybookCore", "DaybookStore", "DaybookEngine"],
    ]

    /// Everybody's, but not the core's.
    private static let systemModules: Set<String> = [
        "Foundation", "Glibc", "Synchronization", "Dispatch",
    ]

    @Test("a target imports nothing but what it may")
    func importsStayInside() throws {
        for (target, allowed) in Self.imports {
            let folder = target == "Support" ? "Tests/Support" : "Sources/\(target)"
            let files = try tree.files(under: folder, ending: ".swift")
            #expect(!files.isEmpty, "\(folder) has no sources")
            for file in files {
                for (number, line) in file.lines where line.hasPrefix("import ") {
                    let module = String(line.dropFirst("import ".count))
                    let isSystem = Self.systemModules.contains(module) && target != "DaybookCore"
                    #expect(
                        allowed.contains(module) || isSystem,
                        "\(file.path):\(number) imports \(module)")
                }
            }
        }
    }

    @Test("the core reads no clock and no chance, waits for nothing and prints nothing")
    func coreIsPure() throws {
        let banned = ["Date()", "UUID()", ".random", "sleep", "print(", "async ", "await "]
        for file in try tree.files(under: "Sources/DaybookCore", ending: ".swift") {
            for (number, line) in file.lines where !line.contains("//") {
                for word in banned {
                    #expect(!line.contains(word), "\(file.path):\(number) has \(word)")
                }
            }
        }
    }

    @Test("unsafe Swift stands in the targets around C libraries alone")
    func unsafeStaysInside() throws {
        let folders = ["Sources/LMDB/", "Sources/Libcrypto/"]
        let words = ["Unsafe", "withUnsafe", "nonisolated(unsafe)", "@unchecked Sendable"]
        for file in try tree.files(under: "Sources", ending: ".swift")
        where !folders.contains(where: file.path.hasPrefix) {
            for (number, line) in file.lines {
                for word in words {
                    #expect(!line.contains(word), "\(file.path):\(number) has \(word)")
                }
            }
        }
    }

    @Test("no test sleeps")
    func testsDoNotSleep() throws {
        let words = ["Task." + "sleep", "usleep" + "(", "Thread." + "sleep"]
        for file in try tree.files(under: "Tests", ending: ".swift") {
            for (number, line) in file.lines {
                for word in words {
                    #expect(!line.contains(word), "\(file.path):\(number) has \(word)")
                }
            }
        }
    }

    @Test("a function of a suite is a test or private")
    func everyTestIsRun() throws {
        for file in try tree.files(under: "Tests", ending: "Tests.swift") {
            var isSuite = false
            var isMarked = false
            for (number, line) in file.lines {
                let opensType = ["struct ", "enum ", "class ", "actor ", "extension "]
                    .contains { line.contains($0) }
                if !line.hasPrefix(" "), opensType {
                    isSuite = line.contains("struct ") && line.contains("Tests")
                }
                if line.contains("@Test") { isMarked = true }
                guard line.hasPrefix("    func ") else { continue }
                #expect(
                    !isSuite || isMarked,
                    "\(file.path):\(number) is neither marked @Test nor private")
                isMarked = false
            }
        }
    }

    @Test("a path named in a document exists")
    func documentsNameWhatIsThere() throws {
        var documents = try tree.files(under: "docs", ending: ".md")
        documents.append(
            Tree.File(
                path: "README.md",
                text: try String(
                    contentsOf: tree.root.appendingPathComponent("README.md"), encoding: .utf8)))
        let path = /(?:Sources|Tests|docs|tools)\/[A-Za-z0-9_.\/-]*[A-Za-z0-9]/
        let link = /\]\(([^)#:]+)\)/
        for document in documents {
            for match in document.text.matches(of: path) {
                #expect(tree.exists(String(match.0)), "\(document.path) names \(match.0)")
            }
            let folder = (document.path as NSString).deletingLastPathComponent
            for match in document.text.matches(of: link) {
                let target = folder.isEmpty ? String(match.1) : "\(folder)/\(match.1)"
                #expect(tree.exists(target), "\(document.path) links to \(match.1)")
            }
        }
    }

    @Test("the top level is as laid down")
    func topLevelIsAsLaidDown() throws {
        let known: Set<String> = [
            "Package.swift", "Package.resolved", "README.md", "Sources", "Tests", "docs", "tools",
            "daybook-data",
        ]
        for name in try tree.topLevel() {
            #expect(known.contains(name) || name.hasPrefix("."), "\(name) at the top level")
        }
    }

    @Test("files stay readable: at most 450 lines")
    func filesStayShort() throws {
        for file in try tree.files(under: "Sources", ending: ".swift") {
            #expect(file.lines.count <= 451, "\(file.path) has \(file.lines.count - 1) lines")
        }
    }
}
