#ifndef REELWRIGHT_CSYSTEM_H
#define REELWRIGHT_CSYSTEM_H

// What the Swift importer cannot see of Linux: descriptor passing, process start, and the calls by which a worker
// process gives up every right that it does not need. One C file per topic. Functions return 0 (or a count) on
// success and a negated errno value on failure; none of them keeps a pointer that it was given.

#include <stddef.h>
#include <stdint.h>

// descriptors.c -------------------------------------------------------------------------------------------------

/// The descriptor at which a worker finds its socket.
#define RW_WORKER_SOCKET 3

/// The most descriptors that one message carries.
#define RW_MAX_PASSED 4

/// A connected pair of stream sockets, both close-on-exec.
int rw_socket_pair(int ends[2]);

/// A pipe, both ends close-on-exec; `ends[0]` is the non-blocking read end.
int rw_pipe(int ends[2]);

int rw_set_nonblocking(int descriptor);

/// Sends up to `count` bytes, and with the first of them `passed_count` descriptors. Returns the number of bytes
/// sent; 0 when the socket would block. Never raises SIGPIPE.
intptr_t rw_send(int socket, const void *bytes, size_t count, const int *passed, int passed_count);

/// Receives up to `count` bytes and up to RW_MAX_PASSED descriptors (close-on-exec). Returns 0 at the end of the
/// stream, -EAGAIN when there is nothing yet.
intptr_t rw_receive(int socket, void *bytes, size_t count, int passed[RW_MAX_PASSED], int *passed_count);

/// Receives bytes and refuses descriptors: the kernel drops what the other side attached.
intptr_t rw_receive_bytes(int socket, void *bytes, size_t count);

/// Waits until the socket or the second descriptor is readable (or the socket writable, when asked), or the time
/// has passed. `ready` gets bit 0: socket readable or closed, bit 1: socket writable, bit 2: second readable or closed.
int rw_wait_ready(int socket, int want_write, int second, int timeout_milliseconds, int *ready);

/// Closes every descriptor from `first` on.
void rw_close_from(int first);

/// The same without close_range: by the list in /proc, so that a limit of a thousand million costs nothing. Returns the highest
/// number that it has come to. Safe in a forked child.
int rw_close_listed(int first);

// process.c -----------------------------------------------------------------------------------------------------

/// How a child ended and what it used.
typedef struct {
  int32_t running;          ///< 1 while it has not ended; the other fields are then 0
  int32_t exit_status;      ///< valid when signal is 0
  int32_t signal;           ///< 0 when it exited by itself
  int64_t cpu_microseconds; ///< user and system time
  int64_t peak_kibibytes;   ///< most memory resident at once
} rw_exit_t;

/// Starts a program in its own session with exactly these descriptors: 0 and 1 are /dev/null, 2 is `error_output`,
/// RW_WORKER_SOCKET is `socket`; all others are closed, every signal has its default action and none is blocked.
int rw_spawn(const char *path, char *const arguments[], char *const environment[], int socket, int error_output, int32_t *pid);

/// Starts a process at the head of a new process group that does nothing but wait for this process to end, however it does
/// (SIGKILL too), and then kills the group: programs that are started in that group never outlive it. It keeps no
/// descriptor of this process open. `lifeline` is close-on-exec; when all copies of it are closed the group dies. Reap `pid`.
int rw_start_guardian(int32_t *pid, int *lifeline);

/// Tells the guardian at the other end of `lifeline` of a child of this process that dies with its group, with the group that
/// it leads if it has made one for itself. Returns -EPIPE when the guardian is dead.
int rw_guard(int lifeline, int32_t pid);

/// Reaps `pid` when it has ended; with `block`, waits for that.
int rw_reap(int32_t pid, int block, rw_exit_t *ended);

/// Kills the process group that `pid` leads, and `pid` itself.
void rw_kill_group(int32_t pid);

/// fork(2), which Swift does not import. Only for a process with one thread. Returns 0 in the child.
int32_t rw_fork(void);

/// In a forked child: makes `socket` and `error_output` the descriptors that rw_spawn would have given, starts a
/// session and closes all other descriptors.
int rw_adopt_descriptors(int socket, int error_output);

/// Threads of this process, by /proc; a negated errno value where /proc is missing.
int rw_thread_count(void);

/// Nanoseconds of the monotonic clock.
int64_t rw_monotonic_nanoseconds(void);

// seal.c --------------------------------------------------------------------------------------------------------

typedef struct {
  int64_t address_space_bytes;  ///< 0: no limit (address sanitizer reserves terabytes)
  int64_t cpu_seconds;          ///< 0: no limit
  int64_t file_bytes;           ///< largest file it may write; 0: no limit
  int64_t open_files;           ///< 0: no limit
  int32_t landlock_abi_limit;   ///< use no more than this Landlock ABI; negative: what the kernel has
  int32_t keeps_statistics;     ///< 1: make the memory for the statistics of two passes
} rw_seal_options_t;

typedef struct {
  int32_t kernel_landlock_abi;  ///< 0: the kernel has no Landlock, or it is switched off
  int32_t landlock_abi;         ///< the ABI whose rights are in force; 0: none
  int32_t seccomp_mode;         ///< 2: the filter is in force
  int32_t no_new_privileges;
  int32_t dumpable;
  int32_t capabilities_left;    ///< capabilities in the permitted set
  int32_t bounding_left;        ///< capabilities in the bounding set (an unprivileged process cannot drop them)
  int32_t limits_set;           ///< number of resource limits in force
  int32_t threads;              ///< threads at the time of sealing; must be 1
} rw_seal_report_t;

/// Gives up everything a worker does not need; in the order limits, parent-death signal, non-dumpable,
/// no-new-privileges, Landlock, capabilities, seccomp. To be called while the process has one thread. What an old
/// kernel lacks is left out and shows in the report; a failure of anything else is returned, and the caller ends.
int rw_seal(const rw_seal_options_t *options, rw_seal_report_t *report);

/// Asks for SIGKILL when the thread that started this process ends. -EPIPE when it already has.
int rw_die_with_parent(void);

/// For a template: dies with its parent, keeps no capability and can get none; its forks inherit that.
int rw_hold_template(void);

int rw_set_limits(const rw_seal_options_t *options, int32_t *limits_set);
int rw_landlock_abi(void);
int rw_restrict_files(int abi);
int rw_drop_capabilities(int32_t *left, int32_t *bounding_left);
int rw_filter_system_calls(int socket);

// processors.c --------------------------------------------------------------------------------------------------

/// Lets the loaded libraries learn, while files can still be read, how many processors there are and how they lie.
void rw_learn_processors(void);

// statistics.c --------------------------------------------------------------------------------------------------

/// The path under which encoders may keep the statistics of two passes in a sealed process. It names nothing: an
/// attempt to open it, or it with anything appended, is answered with anonymous memory of this process.
#define RW_STATISTICS_PATH "/reelwright-statistics"

/// Makes the anonymous memory, empty. To be called before system calls are filtered. Without it opens are refused. What
/// is written there counts against no limit of memory, only against that of file sizes: for tasks that need it alone.
void rw_make_statistics(void);

/// A new descriptor for `path` when it begins with RW_STATISTICS_PATH, at its start, emptied when `flags` open it for
/// writing; -EACCES for all other paths. Paths that contain "tree" are one piece of memory, all others another. Safe
/// in signal handlers.
long rw_open_statistics(const char *path, int flags);

// signals.c -----------------------------------------------------------------------------------------------------

/// The line that a dying worker writes on its error output, before " SIGNAL MEMORY": the number of the signal and
/// 1 when no memory could be had at that moment.
#define RW_DEATH_NOTE "reel-worker died:"

/// Answers fstat (which the C library makes by path, with an empty one) and the opening of statistics in a process
/// whose filter traps them; writes the death note on a fatal signal; ignores SIGPIPE and SIGXFSZ, so that they become errors of the call.
int rw_install_signal_handlers(void);

#endif
