import Testing

@testable import DaybookWire

private func refusal(_ address: String, allowing ranges: [String] = []) throws -> String? {
    let rules = EgressRules(allowed: try ranges.map { try CIDR($0) })
    let address = try #require(IPAddress(address))
    do throws(EgressRefusal) {
        try rules.check(address)
        return nil
    } catch {
        return error.message
    }
}

private func formRefusal(_ url: String, allowing ranges: [String] = []) throws -> String? {
    let rules = EgressRules(allowed: try ranges.map { try CIDR($0) })
    let url = try OutboundURL(url)
    do throws(EgressRefusal) {
        try rules.checkForm(url)
        return nil
    } catch {
        return error.message
    }
}

private func rangeRefusal(_ text: String) -> String? {
    do throws(CIDRError) {
        _ = try CIDR(text)
        return nil
    } catch {
        return error.message
    }
}

@Suite struct `An address` {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("127.0.0.1", "127.0.0.1"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::A", "2001:db8::a"),
        ("0:0:0:0:0:0:0:1", "::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8:0000:0001:0001:0001:0001:0001", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("::ffff:a00:1", "::ffff:10.0.0.1"), ("64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("::1.2.3.4", "::102:304"),
    ])
    func `is read in every form and written in one`(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(arguments: [
        "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1", "1.2.3.256",
        "01.2.3.4", "127.0.0.01", "00.0.0.0", "0x7f.0.0.1", "0x7f000001", "2130706433", "127.1",
        "0177.0.0.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "+1.2.3.4", "1.2.3.4/8", "１.2.3.4",
        "1,2,3,4", "a.b.c.d", ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8", "1::2::3", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        "12345::", "g::", "::1%eth0", "fe80::1%1", "[::1]", "::1.2.3", "::1.2.3.4.5", "::256.1.1.1",
        "::01.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4",
        "::ffff:0x7f.1", "1:::2", "::-1", "::+1", "1: :2",
    ])
    func `is not read from anything that another parser may read differently`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `comes back from its text`() {
        var numbers = SeededNumbers()
        for _ in 0..<2000 {
            var bytes = numbers.bytes(numbers.chance(1, of: 4) ? 4 : 16)
            for index in bytes.indices where numbers.chance(2, of: 3) { bytes[index] = 0 }
            let address = IPAddress(bytes: bytes)
            #expect(address?.bytes == bytes)
            #expect(IPAddress(address?.description ?? "") == address)
        }
    }

    @Test func `is read from random texts without a trap`() {
        var numbers = SeededNumbers()
        let characters = Array("0129af:::..%x".utf8)
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...20, using: &numbers)).map { _ in
                characters.randomElement(using: &numbers) ?? 0
            }
            guard let address = IPAddress(String(decoding: text, as: UTF8.self)) else { continue }
            #expect(IPAddress(address.description) == address)
        }
    }

    @Test func `has 4 or 16 bytes`() {
        for count in [0, 1, 3, 5, 15, 17] {
            #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
        }
    }
}

@Suite struct `Egress rules` {
    @Test(arguments: [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
        "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.0", "172.31.255.255",
        "192.0.0.1", "192.0.0.255", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
        "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1",
        "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255", "::", "::1", "::2",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:1",
        "::ffff:0:10.0.0.1", "::10.0.0.1", "::8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1",
        "64:ff9b:1::1", "64:ff9b:1:ffff:ffff:ffff:808:808", "100::1", "100:0:0:1::1", "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1ff:ffff::", "2001:db8::1", "2002:7f00:1::",
        "2002:808:808::1", "3fff::1", "3fff:fff:ffff::", "4000::1", "5f00::1", "fc00::1",
        "fd00::1", "fdff:ffff::1", "fe80::1", "febf:ffff::1", "fec0::1", "feff::1", "ff02::1",
        "ffff::1", "1fff:ffff::1",
    ])
    func `refuse every address that is not global`(address: String) throws {
        #expect(try refusal(address) != nil)
        #expect(try #require(IPAddress(address)).isGlobal == false)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255",
        "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1",
        "2001:db9::1", "2003::1", "2606:4700::1111", "2a00:1450::1", "3ffe:ffff::1",
        "3fff:1000::1", "2000::1",
    ])
    func `let every global address pass`(address: String) throws {
        #expect(try refusal(address) == nil)
    }

    @Test func `say what a refused address is for`() throws {
        #expect(
            try refusal("10.1.2.3") == "must not lead to 10.1.2.3: private use (10.0.0.0/8)")
        #expect(
            try refusal("::ffff:127.0.0.1")
                == "must not lead to ::ffff:127.0.0.1: loopback (127.0.0.0/8)")
        #expect(
            try refusal("64:ff9b::a9fe:a9fe")
                == "must not lead to 64:ff9b::a9fe:a9fe: link-local (169.254.0.0/16)")
        #expect(
            try refusal("255.255.255.255")
                == "must not lead to 255.255.255.255: broadcast (255.255.255.255/32)")
        #expect(
            try refusal("4000::")
                == "must not lead to 4000::: not given out (outside of 2000::/3)")
    }

    @Test func `let pass what the operator allows and nothing beside it`() throws {
        let allowed = ["127.0.0.0/8", "10.1.0.0/16", "fd00:1::/32"]
        for address in ["127.0.0.1", "127.9.9.9", "10.1.255.255", "::ffff:127.0.0.1", "fd00:1::7"] {
            #expect(try refusal(address, allowing: allowed) == nil, "\(address)")
        }
        for address in ["10.2.0.0", "::1", "192.168.0.1", "fd00:2::7", "64:ff9b::10.1.0.1"] {
            #expect(try refusal(address, allowing: allowed) != nil, "\(address)")
        }
        #expect(try refusal("::1", allowing: ["::1/128"]) == nil)
        #expect(try refusal("10.0.0.1", allowing: ["::/0"]) != nil)
        #expect(try refusal("::ffff:10.0.0.1", allowing: ["::/0"]) != nil)
        #expect(try refusal("10.0.0.1", allowing: ["0.0.0.0/0"]) == nil)
    }

    @Test func `refuse a name when any of its addresses is refused, or when it has none`() throws {
        let rules = EgressRules()
        let good = try #require(IPAddress("8.8.8.8"))
        let bad = try #require(IPAddress("10.0.0.1"))
        #expect(throws: Never.self) { try rules.check("a.example", resolvedTo: [good, good]) }
        #expect(throws: EgressRefusal.self) {
            try rules.check("a.example", resolvedTo: [good, bad])
        }
        #expect(throws: EgressRefusal("must have an address: a.example has none")) {
            try rules.check("a.example", resolvedTo: [])
        }
    }

    @Test func `judge a URL by its form alone`() throws {
        for url in [
            "http://127.0.0.1/", "https://10.0.0.1:8443/x", "http://[::1]/", "http://[fe80::1]/",
            "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:7f00:1::]/",
            "http://0.0.0.0/", "http://169.254.169.254/latest/meta-data", "http://localhost/",
            "http://LOCALHOST:8080/", "http://a.b.localhost/",
        ] {
            #expect(try formRefusal(url) != nil, "\(url)")
        }
        for url in [
            "http://example.com/", "https://8.8.8.8/", "https://[2606:4700::1111]/",
            "http://notlocalhost/", "http://localhost.example.com/", "http://internal/",
        ] {
            #expect(try formRefusal(url) == nil, "\(url)")
        }
        #expect(try formRefusal("http://localhost/") == "must not lead to localhost: loopback")
        #expect(try formRefusal("http://localhost/", allowing: ["10.0.0.0/8"]) != nil)
        #expect(try formRefusal("http://localhost/", allowing: ["127.0.0.0/8"]) == nil)
        #expect(try formRefusal("http://x.localhost/", allowing: ["::1/128"]) == nil)
        #expect(try formRefusal("http://127.0.0.1:9/", allowing: ["127.0.0.0/8"]) == nil)
    }
}

@Suite struct `A range of addresses` {
    @Test(arguments: [
        "127.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "::/0", "::1/128", "fd00::/8", "2001:db8::/32",
        "2000::/3", "1:2:3:4:8000::/65",
    ])
    func `is read and written alike`(text: String) throws {
        #expect(try CIDR(text).description == text)
    }

    @Test func `has the addresses that share its leading bits`() throws {
        let range = try CIDR("1:2:3:4:8000::/65")
        #expect(range.contains(try #require(IPAddress("1:2:3:4:ffff::"))))
        #expect(!range.contains(try #require(IPAddress("1:2:3:4:7fff::"))))
        #expect(!range.contains(.v4(0)))
        #expect(try CIDR("0.0.0.0/0").contains(.v4(.max)))
        #expect(try !CIDR("0.0.0.0/0").contains(.v6(high: 0, low: 0)))
        #expect(try CIDR("10.0.0.0/31").contains(.v4(0x0A00_0001)))
        #expect(try !CIDR("10.0.0.0/31").contains(.v4(0x0A00_0002)))
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1: must be an address, a slash and a prefix length"),
        ("", ": must be an address, a slash and a prefix length"),
        ("1.2.3.4/8/8", "1.2.3.4/8/8: must be an address, a slash and a prefix length"),
        ("127.1/8", "127.1/8: 127.1 is not an address"), ("/8", "/8:  is not an address"),
        ("10.0.0.0/33", "10.0.0.0/33: the prefix length must be between 0 and 32"),
        ("10.0.0.0/", "10.0.0.0/: the prefix length must be between 0 and 32"),
        ("10.0.0.0/08", "10.0.0.0/08: the prefix length must be between 0 and 32"),
        ("10.0.0.0/-1", "10.0.0.0/-1: the prefix length must be between 0 and 32"),
        ("::/129", "::/129: the prefix length must be between 0 and 128"),
        (
            "10.0.0.1/8",
            "10.0.0.1/8: the address has bits beyond the prefix; 10.0.0.0/8 has none"
        ),
        ("::1/64", "::1/64: the address has bits beyond the prefix; ::/64 has none"),
        (
            "::ffff:10.0.0.0/104",
            "::ffff:10.0.0.0/104: addresses mapped into IPv6 are judged as IPv4, write that"
        ),
    ])
    func `is refused with a word about what is wrong`(text: String, message: String) {
        #expect(rangeRefusal(text) == message)
    }
}
