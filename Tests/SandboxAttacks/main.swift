// The worker program of SandboxTests: tasks that misbehave in every way.
//   sandbox-attacks control NAME     makes one attempt without isolation
//   sandbox-attacks orchestrate TAG  runs a task that hangs in a worker that has TAG on its command line

internal import CSandboxAttacks
import Sandbox

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "control" {
  print(attack_run(CommandLine.arguments[2]))
} else if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "orchestrate" {
  Orchestrator.run(tag: CommandLine.arguments[2])
} else {
  WorkerService.run(handler: Attacks.handle)
}
