#ifndef REELWRIGHT_CSANDBOXATTACKS_H
#define REELWRIGHT_CSANDBOXATTACKS_H

// What code that has taken over a worker process would try. Used by tests only.

/// Number of attempts.
int attack_count(void);

/// The name of an attempt; a static string.
const char *attack_name(int index);

/// Whether the attempt, made by root without any isolation, succeeds on an ordinary machine and does no harm there: then a
/// test can show that it is the isolation that stops it.
int attack_has_control(int index);

/// Makes the attempt. 0: it succeeded, which it must not; else a negated errno value. May also not return, when the
/// system call filter ends the process.
int attack_run(const char *name);

/// Frees nothing and never returns memory: allocates `bytes` by malloc and writes to each page. 0, or -ENOMEM.
int attack_allocate(long bytes);

/// Dies of a write through a null pointer.
void attack_crash(void);

/// The lowest descriptor from `first` to 4095 that is open; -1 when there is none.
int attack_open_descriptor(int first);

#endif
