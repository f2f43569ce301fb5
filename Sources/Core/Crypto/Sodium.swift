internal import CSodium

/// libsodium's one-time set-up. A constant, so that the runtime initialises it once, whichever thread asks first.
private let isReady = sodium_init() >= 0

/// Makes sure that libsodium chose its implementations and opened its random source.
@inline(__always)
func requireSodium() {
  // sodium_init fails only without any source of random bytes; nothing secret can be done then.
  precondition(isReady, "libsodium cannot be initialised")
}
