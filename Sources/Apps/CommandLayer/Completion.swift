/// Shell completion scripts, derived from the commands.
struct Completion {
  enum Shell: String, CaseIterable { case bash, zsh, fish }

  let root: Command

  func script(for shell: Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  /// Every command with the words that lead to it, the root first.
  var entries: [(path: [String], command: Command)] {
    func walk(_ command: Command, _ path: [String]) -> [(path: [String], command: Command)] {
      [(path, command)] + command.subcommands.flatMap { walk($0, path + [$0.name]) }
    }
    return walk(root, [])
  }

  func words(of option: Option) -> [String] {
    (option.short.map { ["-\($0)"] } ?? []) + ["--\(option.name)"]
  }
}
