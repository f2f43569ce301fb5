import Sandbox

// Everything is in other files: a closure written here would belong to the main actor, and the task runs on another thread.
WorkerService.run(handler: WorkerTasks.handle)
