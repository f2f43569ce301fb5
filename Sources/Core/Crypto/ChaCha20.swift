internal import CSodium

/// The ChaCha20 keystream (RFC 8439 section 2.4): 256-bit key, 96-bit nonce, 32-bit block counter.
public enum ChaCha20 {
  /// 64 bytes a block.
  public static let blockByteCount = 64

  /// `byteCount` bytes of keystream from block `counter` on.
  ///
  /// - Parameters:
  ///   - key: 32 bytes.
  ///   - nonce: 12 bytes. Default zeros, for keys that are used once.
  ///   - counter: the first block. Default 0. The stream must not run past block 2³² − 1.
  public static func keystream(
    key: SecretBytes, nonce: [UInt8] = [UInt8](repeating: 0, count: 12), counter: UInt32 = 0, byteCount: Int
  ) -> [UInt8] {
    requireSodium()
    precondition(key.count == 32 && nonce.count == 12, "ChaCha20 takes a key of 32 and a nonce of 12 bytes")
    precondition((byteCount + 63) / 64 <= Int(UInt32.max - counter) + 1, "the keystream ends at block 2³² − 1")
    var stream = [UInt8](repeating: 0, count: byteCount)
    let zeros = stream
    let status = key.withPointer {
      crypto_stream_chacha20_ietf_xor_ic(&stream, zeros, UInt64(byteCount), nonce, counter, $0)
    }
    precondition(status == 0)
    return stream
  }
}
