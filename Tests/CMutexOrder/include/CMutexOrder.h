#pragma once

// Shows the thread sanitizer what it cannot see of Synchronization.Mutex on Linux (Swift 6.3).
//
// `withLock` is inlined with an instrumented compare-and-exchange for a free lock; a contended one is taken and released by
// `_MutexHandle._lockSlow` and `_unlockSlow` of libswiftSynchronization.so, which is not instrumented: `nm -D` finds no `__tsan_` symbol in it,
// `objdump -d` a `lock cmpxchg` in `_lockSlow`. The order between one holder and the next is lost there, and correct programs are reported. This
// one is, by `swiftc -g -sanitize=thread`, though it prints 40000 each time:
//
//   import Glibc
//   import Synchronization
//   final class Counter: Sendable {
//     private let count = Mutex<[Int]>([])
//     func add() { count.withLock { $0.append($0.count) } }
//     var value: Int { count.withLock { $0.count } }
//   }
//   let counter = Counter()
//   func work(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
//     for _ in 0..<20_000 { counter.add() }
//     return nil
//   }
//   var threads = [pthread_t](repeating: 0, count: 2)
//   for index in threads.indices { pthread_create(&threads[index], nil, { work($0) }, nil) }
//   for thread in threads { pthread_join(thread, nil) }
//   print(counter.value)
//
// In a program that is built for the thread sanitizer and links this, those two functions come from here: they call the library's and say what
// is acquired and released. With it the program above is not reported; one that leaves out `withLock` still is.
