#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#if defined(__x86_64__)
#define ARGUMENT(context, n) ((context)->uc_mcontext.gregs[(n) == 0 ? REG_RDI : (n) == 1 ? REG_RSI : (n) == 2 ? REG_RDX : REG_R10])
#define SET_RESULT(context, value) ((context)->uc_mcontext.gregs[REG_RAX] = (value))
#elif defined(__aarch64__)
#define ARGUMENT(context, n) ((long)(context)->uc_mcontext.regs[n])
#define SET_RESULT(context, value) ((context)->uc_mcontext.regs[0] = (unsigned long)(value))
#else
#error "signal context of this architecture is not known"
#endif

// glibc makes fstat(fd) as newfstatat(fd, "", …, AT_EMPTY_PATH). A filter cannot look behind the pointer, and allowing
// the call would allow the stat of any path. So the filter traps it, and this handler, which has no more rights
// than the rest of the process, makes the call by descriptor instead. In the same way it answers the opening of encoders'
// statistics with memory; every other path is refused.
static void answer_trapped_call(int signal, siginfo_t *information, void *raw_context) {
  ucontext_t *context = raw_context;
  int saved = errno;
  long result = -EACCES;
  if (information->si_syscall == SYS_newfstatat) {
    const char *path = (const char *)ARGUMENT(context, 1);
    if ((ARGUMENT(context, 3) & AT_EMPTY_PATH) && (path == NULL || *path == 0)) {
      result = syscall(SYS_fstat, (int)ARGUMENT(context, 0), (void *)ARGUMENT(context, 2));
      if (result < 0) result = -errno;
    }
  }
  if (information->si_syscall == SYS_openat) {
    result = rw_open_statistics((const char *)ARGUMENT(context, 1), (int)ARGUMENT(context, 2));
  }
  SET_RESULT(context, result);
  errno = saved;
}

static char *append_number(char *end, unsigned value) {
  char digits[12];
  int count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  while (count) *end++ = digits[--count];
  return end;
}

static void leave_death_note(int signal_number) {
  const size_t sample = 16 << 20;
  void *memory = mmap(NULL, sample, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char note[64] = "\n" RW_DEATH_NOTE " ";
  char *end = append_number(note + strlen(note), (unsigned)signal_number);
  *end++ = ' ';
  *end++ = memory == MAP_FAILED ? '1' : '0';
  *end++ = '\n';
  if (write(2, note, (size_t)(end - note)) < 0) {
    // The note is a courtesy; the orchestrator sees the signal in any case.
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

int rw_install_signal_handlers(void) {
  struct sigaction trap = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
  trap.sa_sigaction = answer_trapped_call;
  sigemptyset(&trap.sa_mask);
  if (sigaction(SIGSYS, &trap, NULL) != 0) return -errno;

  static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE};
  struct sigaction note = {.sa_flags = SA_RESETHAND | SA_NODEFER};
  note.sa_handler = leave_death_note;
  sigemptyset(&note.sa_mask);
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
    if (sigaction(fatal[i], &note, NULL) != 0) return -errno;
  }
  // A write beyond the file size limit, or to a socket whose other end has gone, becomes an error of that call.
  if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR) return -errno;
  return 0;
}
