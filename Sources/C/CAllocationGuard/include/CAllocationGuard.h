#ifndef REELWRIGHT_ALLOCATION_GUARD_H
#define REELWRIGHT_ALLOCATION_GUARD_H

// A program that links this ends by SIGABRT, after "out of memory" on its error output, when an allocation fails.
//
// FFmpeg's stream analysis and some of the libraries below it go on after a failed allocation as if a packet had been damaged or a
// decoder had nothing to say: the result is wrong and nobody is told. A worker has a memory limit and may die, so it does; whoever
// started it names the limit. Nothing of this is called: the functions stand in front of the C library's (dlsym's RTLD_NEXT), so that
// other interposed allocators keep working. Not in effect under the address sanitizer.

#endif
