import CSandboxAttacks
import Glibc
import MediaCore
import Testing

@testable import Sandbox

/// What taken-over code in a worker would try, each attempt in a worker of its own.
@Suite struct AttackTests {
  enum User: CaseIterable { case same, nobody }

  static let names = (0..<attack_count()).map { String(cString: attack_name($0)) }

  /// Runs every attempt and returns those that were not denied.
  private func successes(user: User, landlockABILimit: Int?) throws -> [String] {
    let pool = attackPool(template: true) { configuration in
      configuration.landlockABILimit = landlockABILimit
      if user == .nobody {
        configuration.launcher = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
      }
    }
    let isolation = try pool.run(kind: "echo", payload: [], files: MemoryFiles()).isolation
    #expect(isolation.seccompMode == 2)
    #expect(isolation.landlockABI == min(isolation.kernelLandlockABI, landlockABILimit ?? .max))
    return Self.names.filter { name in
      do throws(MediaError) {
        // A number below zero: denied. Nothing else is.
        return Int(try pool.text("attack", name)).map { $0 >= 0 } ?? true
      } catch {
        return error.workerDeath != "SIGSYS"
      }
    }
  }

  @Test(arguments: [nil, 2, 0])
  func everyAttemptIsDenied(_ landlockABILimit: Int?) throws {
    #expect(try successes(user: .same, landlockABILimit: landlockABILimit).isEmpty)
  }

  @Test(.enabled(if: getuid() == 0 && isReachableByNobody, "needs root to become another user"), arguments: [nil, 2])
  func everyAttemptIsDeniedToAnUnprivilegedUser(_ landlockABILimit: Int?) throws {
    #expect(try successes(user: .nobody, landlockABILimit: landlockABILimit).isEmpty)
  }

  /// The same attempts without isolation succeed, so it is the isolation that denies them above.
  @Test(.enabled(if: getuid() == 0, "needs root"))
  func withoutIsolationTheySucceed() {
    for index in 0..<attack_count() where attack_has_control(index) != 0 {
      let name = String(cString: attack_name(index))
      #expect(shell("'\(attackProgram)' control \(name) </dev/null 2>&1") == "0\n", "\(name)")
    }
    _ = shell("rm -rf /tmp/reelwright-attack*")
  }
}

/// Whether another user may execute the worker program where it was built.
private let isReachableByNobody: Bool =
  shell("/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups -- test -x '\(attackProgram)' && echo yes") == "yes\n"
