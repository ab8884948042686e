import DaybookCore

extension SealedSecret {
    private static let nonceByteCount = 12
    private static let tagByteCount = 16

    /// `<key number>.<base64 of nonce ‖ ciphertext ‖ tag>`: as it stands inside a definition.
    package var text: String { "\(keyNumber).\(Base64.encode(nonce + ciphertext))" }

    /// Reads such a text; `nil` for anything else.
    package init?(text: String) {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let number = UInt32(parts[0]),
            let bytes = Base64.decode(String(parts[1])),
            bytes.count >= Self.nonceByteCount + Self.tagByteCount
        else { return nil }
        self.init(
            keyNumber: number, nonce: Array(bytes.prefix(Self.nonceByteCount)),
            ciphertext: Array(bytes.dropFirst(Self.nonceByteCount)))
    }
}
