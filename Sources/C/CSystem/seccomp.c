#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// Calls that work on memory, time, threads of this process, and descriptors that it was given.
static const int allowed[] = {
  // descriptors
  SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
  SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(ftruncate), SCMP_SYS(fsync),
  SCMP_SYS(fdatasync), SCMP_SYS(dup), SCMP_SYS(fallocate), SCMP_SYS(fadvise64), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll),
  // memory
  SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
  // threads and signals of this process
  SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(gettid), SCMP_SYS(getpid),
  SCMP_SYS(getppid), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
  SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam),
  SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_get_priority_max), SCMP_SYS(sched_get_priority_min), SCMP_SYS(membarrier),
  SCMP_SYS(getcpu), SCMP_SYS(exit), SCMP_SYS(exit_group),
  // time, chance and facts about this process
  SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
  SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
  SCMP_SYS(uname), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getpriority),
  SCMP_SYS(get_mempolicy),
};

// Calls that libraries make in passing and do without: they get an error that they understand.
static const int refused[] = {
  SCMP_SYS(open), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx),
  SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
  SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
  SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rmdir), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
  SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
  SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setparam), SCMP_SYS(setpriority), SCMP_SYS(setrlimit), SCMP_SYS(mlock),
};

// Calls that a kernel may lack; libraries have another way.
static const int absent[] = {
  SCMP_SYS(clone3), SCMP_SYS(set_mempolicy), SCMP_SYS(mbind), SCMP_SYS(memfd_create),
};

static struct scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
  return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

static struct scmp_arg_cmp not_equal(unsigned argument, scmp_datum_t value) {
  return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_NE, .datum_a = value, .datum_b = 0};
}

static struct scmp_arg_cmp bits(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static int add_conditional(scmp_filter_ctx filter, int socket) {
  int result = 0;
#define RULE(action, call, ...) \
  if (!result) result = seccomp_rule_add(filter, action, SCMP_SYS(call), __VA_ARGS__)

  // The one socket.
  RULE(SCMP_ACT_ALLOW, sendmsg, 1, equal(0, (scmp_datum_t)socket));
  RULE(SCMP_ACT_ALLOW, recvmsg, 1, equal(0, (scmp_datum_t)socket));

  // Threads of this process and nothing else: the flags that glibc's pthread_create passes when clone3 is missing.
  const scmp_datum_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                              CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  RULE(SCMP_ACT_ALLOW, clone, 1, equal(0, thread));

  // No memory becomes executable any more.
  RULE(SCMP_ACT_ALLOW, mmap, 1, bits(2, PROT_EXEC, 0));
  RULE(SCMP_ACT_ERRNO(EACCES), mmap, 1, bits(2, PROT_EXEC, PROT_EXEC));
  RULE(SCMP_ACT_ALLOW, mprotect, 1, bits(2, PROT_EXEC, 0));
  RULE(SCMP_ACT_ERRNO(EACCES), mprotect, 1, bits(2, PROT_EXEC, PROT_EXEC));

  // abort() and raise(): signals to a thread of this process.
  RULE(SCMP_ACT_ALLOW, tgkill, 1, equal(0, (scmp_datum_t)getpid()));

  // Limits may be read, of this process only.
  RULE(SCMP_ACT_ALLOW, prlimit64, 2, equal(0, 0), equal(2, 0));
  RULE(SCMP_ACT_ERRNO(EACCES), prlimit64, 1, not_equal(2, 0));
  RULE(SCMP_ACT_ERRNO(EACCES), prlimit64, 2, not_equal(0, 0), equal(2, 0));

  // Binding an own thread to processors does nothing and says that it did: libnuma, below libx265, prints an error for each
  // thread otherwise.
  RULE(SCMP_ACT_ERRNO(0), sched_setaffinity, 1, equal(0, 0));
  RULE(SCMP_ACT_ERRNO(EACCES), sched_setaffinity, 1, not_equal(0, 0));

  // Flags and duplicates of descriptors; no leases, owners or notifications.
  static const int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL};
  for (size_t i = 0; i < COUNT(commands); i++) RULE(SCMP_ACT_ALLOW, fcntl, 1, equal(1, (scmp_datum_t)commands[i]));

  // Names of threads and memory areas, and what the report asks.
  static const int options[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS, PR_GET_DUMPABLE};
  for (size_t i = 0; i < COUNT(options); i++) RULE(SCMP_ACT_ALLOW, prctl, 1, equal(0, (scmp_datum_t)options[i]));

  // Nothing here is a terminal or a device. Libraries ask isatty(2) before they print.
  RULE(SCMP_ACT_ERRNO(ENOTTY), ioctl, 0);
  // Not made: see signals.c for how they are answered.
  RULE(SCMP_ACT_TRAP, newfstatat, 0);
  RULE(SCMP_ACT_TRAP, openat, 0);
#undef RULE
  return result;
}

int rw_filter_system_calls(int socket) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (!filter) return -ENOMEM;
  int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  for (size_t i = 0; i < COUNT(allowed) && !result; i++) result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
  for (size_t i = 0; i < COUNT(refused) && !result; i++) {
    result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[i], 0);
  }
  for (size_t i = 0; i < COUNT(absent) && !result; i++) {
    result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), absent[i], 0);
  }
  if (!result) result = add_conditional(filter, socket);
  if (!result) result = seccomp_load(filter);
  seccomp_release(filter);
  return result;
}
