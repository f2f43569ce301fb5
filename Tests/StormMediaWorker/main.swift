import Glibc

// Closures written in this file would be main-actor isolated; everything lives elsewhere.
exit(MediaWorker.main())
