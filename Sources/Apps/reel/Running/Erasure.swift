import Reelwright

/// Who takes part when a project is erased, beside the log itself.
enum Erasure {
  static func participants(_ database: any Database) throws -> [any ErasureParticipant] {
    let folder = database is SQLiteDatabase ? nil : Store.folder
    return [JobErasure(store: try JobStore(database: database), folder: folder)]
  }
}
