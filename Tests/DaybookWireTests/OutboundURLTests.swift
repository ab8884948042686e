import Testing

@testable import DaybookWire

private func refusal(_ text: String) -> String? {
    do throws(OutboundURLError) {
        _ = try OutboundURL(text)
        return nil
    } catch {
        return error.message
    }
}

private func headerRefusal(_ name: String, _ value: String) -> String? {
    do throws(HeaderRefusal) {
        try HeaderRules.check(name: name, value: value)
        return nil
    } catch {
        return error.message
    }
}

private let form = "must begin with http:// or https://"
private let hostBytes = "must have a host of letters, digits, hyphens and full stops"
private let number = "must have a name or an IPv4 address of four decimal numbers as its host"
private let portRange = "must have a port between 1 and 65535, or none"
private let labels = "must have a host whose labels have 1 to 63 bytes"

@Suite struct `A URL for a request` {
    @Test(arguments: [
        ("http://example.com", "http://example.com/"),
        ("https://example.com/", "https://example.com/"),
        ("HTTPS://Example.COM/A?b=C", "https://example.com/A?b=C"),
        ("https://example.com:443/", "https://example.com/"),
        ("http://example.com:80", "http://example.com/"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("http://a_b.example.com:65535/x", "http://a_b.example.com:65535/x"),
        ("http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"),
        ("http://1.2.3.4:8080/x", "http://1.2.3.4:8080/x"),
        ("http://[2001:DB8:0::1]:81/", "http://[2001:db8::1]:81/"),
        ("http://[::ffff:1.2.3.4]/", "http://[::ffff:1.2.3.4]/"),
        ("http://example.com?x=1", "http://example.com/?x=1"),
        (
            "http://example.com/a/../b//c;d?x=%2F%c3%A9&y=a@b:c",
            "http://example.com/a/../b//c;d?x=%2F%c3%A9&y=a@b:c"
        ),
        ("http://1.example/", "http://1.example/"), ("http://0x1.example/", "http://0x1.example/"),
        ("http://1a/", "http://1a/"), ("http://a/?q='!$*(),~", "http://a/?q='!$*(),~"),
    ])
    func `is read and has one form`(text: String, canonical: String) throws {
        let url = try OutboundURL(text)
        #expect(url.text == canonical)
        #expect(try OutboundURL(canonical) == url)
    }

    @Test func `is taken apart`() throws {
        let url = try OutboundURL("HTTP://API.example.com:8080/v1?x=1")
        #expect(url.scheme == .http)
        #expect(url.host == .name("api.example.com"))
        #expect(url.port == 8080)
        #expect(url.pathAndQuery == "/v1?x=1")
        #expect(url.authority == "api.example.com:8080")
        let literal = try OutboundURL("https://[::1]")
        #expect(literal.host == .address(.v6(high: 0, low: 1)))
        #expect(literal.port == 443)
        #expect(literal.authority == "[::1]")
        #expect(try OutboundURL("http://127.0.0.1").host == .address(.v4(0x7F00_0001)))
    }

    @Test(arguments: [
        ("", form), ("example.com", form), ("//example.com/", form), ("http:/example.com", form),
        ("http:example.com", form), ("ftp://example.com/", form), ("file:///etc/passwd", form),
        ("gopher://a/", form), ("javascript:alert(1)", form), ("unix:///var/run/x.sock", form),
        ("httpss://a/", form), (":http://a/", form), ("http%3a//a/", form),
        ("http://", "must have a host"), ("http:///x", "must have a host"),
        ("http://:80/", "must have a host"), ("http://?x", "must have a host"),
        ("http://user@example.com/", "must not have user information before the host"),
        ("http://user:pw@example.com/", "must not have user information before the host"),
        ("http://@example.com/", "must not have user information before the host"),
        ("http://example.com:80@10.0.0.1/", "must not have user information before the host"),
        ("http://example.com/#x", "must not have a fragment"),
        ("http://example.com#@10.0.0.1/", "must not have a fragment"),
        ("http://example.com\\@10.0.0.1/", "must not have backslashes"),
        ("http:\\\\example.com", "must not have backslashes"),
        (" http://a/", "must not have spaces"), ("http://a/ b", "must not have spaces"),
        ("http://a/\r\nX: 1", "must not have control characters"),
        ("http://a/\tb", "must not have control characters"),
        ("http://a\0/", "must not have control characters"),
        ("http://a/\u{7F}", "must not have control characters"),
        ("http://bücher.example/", "must be ASCII: write names as punycode (xn--…)"),
        ("http://example。com/", "must be ASCII: write names as punycode (xn--…)"),
        ("http://１２７.0.0.1/", "must be ASCII: write names as punycode (xn--…)"),
        ("http://a/é", "must be ASCII: write names as punycode (xn--…)"),
        ("http://a/<b>", "must have < percent-encoded, it stands for itself nowhere"),
        ("http://a/{id}", "must have { percent-encoded, it stands for itself nowhere"),
        ("http://a/\"", "must have \" percent-encoded, it stands for itself nowhere"),
        ("http://a.example./", "must not have a full stop at the end of its host"),
        ("http://localhost./", "must not have a full stop at the end of its host"),
        ("http://127.0.0.1./", "must not have a full stop at the end of its host"),
        ("http://./", "must not have a full stop at the end of its host"),
        ("http://a..b/", labels), ("http://.a/", labels),
        ("http://\(String(repeating: "a", count: 64)).b/", labels),
        ("http://-a.b/", "must have a host whose labels neither begin nor end with a hyphen"),
        ("http://a-.b/", "must have a host whose labels neither begin nor end with a hyphen"),
        ("http://a%2eb/", hostBytes), ("http://%31%32%37.0.0.1/", hostBytes),
        ("http://a!b/", hostBytes),
        ("http://a*b/", hostBytes), ("http://a,b/", hostBytes), ("http://a;b/", hostBytes),
        ("http://2130706433/", number), ("http://0x7f000001/", number),
        ("http://017700000001/", number),
        ("http://127.1/", number), ("http://127.0.1/", number), ("http://0177.0.0.1/", number),
        ("http://0x7f.0.0.1/", number), ("http://127.0.0.0x1/", number),
        ("http://0X7F000001/", number),
        ("http://1.2.3.4.5/", number), ("http://256.1.1.1/", number), ("http://1.2.3.04/", number),
        ("http://example.1/", number), ("http://0/", number), ("http://0x/", number),
        ("http://[::1/", "must have a ] after an IPv6 address"),
        ("http://[]/", "must have an IPv6 address, and nothing else, in brackets"),
        ("http://[127.0.0.1]/", "must have an IPv6 address, and nothing else, in brackets"),
        ("http://[v1.a]/", "must have an IPv6 address, and nothing else, in brackets"),
        ("http://[fe80::1%25eth0]/", "must not have a zone in its IPv6 address"),
        ("http://[::1]x/", portRange), ("http://::1/", "must have a host"),
        ("http://a:/", portRange), ("http://a:0/", portRange), ("http://a:65536/", portRange),
        ("http://a:080/", portRange), ("http://a:99999999999999999999/", portRange),
        ("http://a:-1/", portRange), ("http://a:+80/", portRange), ("http://a:80:80/", portRange),
        ("http://a:http/", portRange), ("http://a:22/", "must not use port 22"),
        ("https://a:25/x", "must not use port 25"),
        ("http://a/%", "must have two hexadecimal digits after each %"),
        ("http://a/%2", "must have two hexadecimal digits after each %"),
        ("http://a/?x=%zz", "must have two hexadecimal digits after each %"),
        ("http://a/?x[]=1", "must have [ and ] percent-encoded after its host"),
    ])
    func `is refused with a word about what is wrong`(text: String, message: String) {
        #expect(refusal(text) == message)
    }

    @Test func `has bounds for the whole and for its host`() {
        let path = String(repeating: "a", count: OutboundURL.maximumBytes - 9)
        #expect(refusal("http://a/\(path)") == nil)
        #expect(refusal("http://a/\(path)a") == "must have at most 2048 bytes")
        let label = String(repeating: "a", count: 63)
        let longest = "\(label).\(label).\(label).\(String(repeating: "a", count: 61))"
        #expect(longest.utf8.count == 253)
        #expect(refusal("http://\(longest)/") == nil)
        #expect(refusal("http://\(longest)a/") == "must have a host of at most 253 bytes")
    }

    @Test func `never traps when it is mutated, and keeps its form when it is read`() {
        var numbers = SeededNumbers()
        let characters = Array("a0x.:/?#@[]%\\-_ é\n".utf8)
        for _ in 0..<5000 {
            var text = Array("https://[::1]:8443/a?b=%20".utf8)
            if numbers.chance(1, of: 2) { text = Array("http://api.example.com:80/a%2Fb".utf8) }
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                let place = Int.random(in: 0..<text.count, using: &numbers)
                let byte = characters.randomElement(using: &numbers) ?? 0
                if numbers.chance(1, of: 2) {
                    text[place] = byte
                } else {
                    text.insert(byte, at: place)
                }
            }
            guard let url = try? OutboundURL(String(decoding: text, as: UTF8.self)) else {
                continue
            }
            #expect((try? OutboundURL(url.text)) == url)
        }
    }
}

@Suite struct `A header of a client's` {
    @Test(arguments: [
        ("X-Token", "abc"), ("authorization", "Bearer a.b-c_d=="), ("Accept", "text/html; q=0.1"),
        ("!#$%&'*+-.^_`|~09aZ", "tab\tinside"), ("x", ""), ("User-Agent", "me"),
    ])
    func `may go out`(name: String, value: String) {
        #expect(headerRefusal(name, value) == nil)
    }

    @Test(arguments: ["", "a b", "a:", "a\r\nb", "é", "a(b)", "a/b", "\"a\"", "a\0", "a@b"])
    func `must have a token as its name`(name: String) {
        #expect(headerRefusal(name, "x")?.hasPrefix("must have a name of 1 to 128") == true)
    }

    @Test(arguments: [
        "Host", "CONTENT-LENGTH", "content-type", "Content-Encoding", "Transfer-Encoding",
        "Accept-Encoding", "Connection", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer",
        "Upgrade", "Expect", "Idempotency-Key", "Webhook-Id", "webhook-timestamp",
        "WEBHOOK-SIGNATURE",
    ])
    func `must not be one that Daybook sets itself`(name: String) {
        #expect(
            headerRefusal(name, "x")
                == "must not set \(name.lowercased()), which Daybook sets itself")
    }

    @Test(arguments: ["a\r\nHost: b", "a\nb", "a\rb", "a\0b", "é", "\u{7F}", "\u{1B}[0m"])
    func `must have a value of visible ASCII`(value: String) {
        #expect(
            headerRefusal("x", value)
                == "must have a value of visible ASCII, spaces and tabs only")
    }

    @Test func `has bounds, and no space at the ends of its value`() {
        for value in [" a", "a ", "\ta", "a\t", " "] {
            #expect(
                headerRefusal("x", value) == "must have a value without spaces or tabs at its ends")
        }
        #expect(headerRefusal(String(repeating: "a", count: 128), "x") == nil)
        #expect(headerRefusal(String(repeating: "a", count: 129), "x") != nil)
        #expect(headerRefusal("x", String(repeating: "a", count: 4096)) == nil)
        #expect(
            headerRefusal("x", String(repeating: "a", count: 4097))
                == "must have a value of at most 4096 bytes")
    }

    @Test func `is the same as another whose name differs only in case`() {
        #expect(HeaderRules.canonicalName("X-Token") == HeaderRules.canonicalName("x-tOKEN"))
    }
}
