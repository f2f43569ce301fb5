import Reelwright

/// Who takes part when a project is erased, beside the log itself.
enum Erasure {
  static func participants(_ database: any Database) throws -> [any ErasureParticipant] { [] }
}
