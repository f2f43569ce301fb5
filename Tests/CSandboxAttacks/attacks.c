#include "CSandboxAttacks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The old calls by path do not exist on newer architectures; -1 is no call at all.
#ifndef SYS_open
#define SYS_open -1
#define SYS_creat -1
#define SYS_stat -1
#define SYS_lstat -1
#define SYS_access -1
#define SYS_readlink -1
#define SYS_unlink -1
#define SYS_rename -1
#define SYS_fork -1
#endif
#ifndef SYS_iopl
#define SYS_iopl -1
#define SYS_modify_ldt -1
#endif

// Every call goes to the kernel itself, so that no C library stands in between. `S` gives 0 or a negated errno value.
#define S(...) (syscall(__VA_ARGS__) < 0 ? -errno : 0)

static const char victim[] = "/etc/passwd";
static const char fresh[] = "/tmp/reelwright-attack";

static int try_open(void) { return S(SYS_openat, AT_FDCWD, victim, O_RDONLY, 0); }
// Only workers that encode in two passes have memory behind this name.
static int try_open_statistics(void) { return S(SYS_openat, AT_FDCWD, "/reelwright-statistics", O_RDWR | O_CREAT, 0600); }
static int try_open_old(void) { return S(SYS_open, victim, O_RDONLY, 0); }
static int try_open_proc(void) { return S(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR, 0); }
static int try_open_path(void) { return S(SYS_openat, AT_FDCWD, "/", O_PATH, 0); }
static int try_open_how(void) {
  uint64_t how[3] = {O_RDONLY, 0, 0};
  return S(SYS_openat2, AT_FDCWD, victim, how, sizeof how);
}
static int try_open_relative(void) { return S(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY, 0); }
static int try_reopen_descriptor(void) { return S(SYS_openat, AT_FDCWD, "/proc/self/fd/0", O_RDWR, 0); }
static int try_create(void) { return S(SYS_openat, AT_FDCWD, fresh, O_RDWR | O_CREAT, 0600); }
static int try_tmpfile(void) { return S(SYS_openat, AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE, 0600); }
static int try_creat(void) { return S(SYS_creat, fresh, 0600); }
static int try_mknod(void) { return S(SYS_mknodat, AT_FDCWD, "/tmp/reelwright-attack-fifo", S_IFIFO | 0600, 0); }

static char status_buffer[1024];
static int try_stat(void) { return S(SYS_stat, victim, status_buffer); }
static int try_lstat(void) { return S(SYS_lstat, victim, status_buffer); }
static int try_stat_at(void) { return S(SYS_newfstatat, AT_FDCWD, victim, status_buffer, 0); }
// A path together with the flag that means "no path": the handler of the trapped call must not fall for it.
static int try_stat_flag(void) { return S(SYS_newfstatat, AT_FDCWD, victim, status_buffer, AT_EMPTY_PATH); }
static int try_statx(void) { return S(SYS_statx, AT_FDCWD, victim, 0, 0xfffU, status_buffer); }
static int try_statfs(void) { return S(SYS_statfs, "/", status_buffer); }
static int try_access(void) { return S(SYS_access, victim, F_OK); }
static int try_access_at(void) { return S(SYS_faccessat, AT_FDCWD, victim, F_OK); }
static int try_readlink(void) { return S(SYS_readlink, "/proc/self/exe", status_buffer, sizeof status_buffer); }
static int try_readlink_at(void) { return S(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", status_buffer, sizeof status_buffer); }
static int try_getcwd(void) { return S(SYS_getcwd, status_buffer, sizeof status_buffer); }
static int try_chdir(void) { return S(SYS_chdir, "/"); }
static int try_chroot(void) { return S(SYS_chroot, "/"); }
static int try_xattr(void) {
  // No such attribute is what an ordinary process hears: the path was looked at.
  int result = S(SYS_getxattr, victim, "user.reelwright", status_buffer, sizeof status_buffer);
  return result == -ENODATA || result == -EOPNOTSUPP ? 0 : result;
}
static int try_inotify(void) {
  int watcher = (int)syscall(SYS_inotify_init1, 0);
  return watcher < 0 ? -errno : S(SYS_inotify_add_watch, watcher, "/tmp", 0x100);
}
static int try_fanotify(void) { return S(SYS_fanotify_init, 0, O_RDONLY); }
static int try_handle(void) { return S(SYS_name_to_handle_at, AT_FDCWD, victim, status_buffer, status_buffer + 512, 0); }

// Each names a file that the controls make; a missing one would be denied for the wrong reason.
static int prepared(const char *path) {
  int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT, 0600);
  if (descriptor >= 0) close(descriptor);
  return 0;
}
static int try_unlink(void) { return prepared(fresh), S(SYS_unlinkat, AT_FDCWD, fresh, 0); }
static int try_unlink_old(void) { return prepared(fresh), S(SYS_unlink, fresh); }
static int try_rename(void) { return prepared(fresh), S(SYS_renameat2, AT_FDCWD, fresh, AT_FDCWD, "/tmp/reelwright-attack-2", 0); }
static int try_rename_old(void) { return prepared(fresh), S(SYS_rename, fresh, "/tmp/reelwright-attack-2"); }
static int try_symlink(void) { return S(SYS_symlinkat, victim, AT_FDCWD, "/tmp/reelwright-attack-link"); }
static int try_link(void) { return prepared(fresh), S(SYS_linkat, AT_FDCWD, fresh, AT_FDCWD, "/tmp/reelwright-attack-3", 0); }
static int try_chmod(void) { return prepared(fresh), S(SYS_fchmodat, AT_FDCWD, fresh, 0644); }
static int try_chmod_given(void) { return S(SYS_fchmod, 0, 0666); }
static int try_chown(void) { return prepared(fresh), S(SYS_fchownat, AT_FDCWD, fresh, 0, 0, 0); }
static int try_mkdir(void) { return S(SYS_mkdirat, AT_FDCWD, "/tmp/reelwright-attack-folder", 0700); }
static int try_truncate(void) { return prepared(fresh), S(SYS_truncate, fresh, 0L); }
static int try_utime(void) { return prepared(fresh), S(SYS_utimensat, AT_FDCWD, fresh, NULL, 0); }

static int try_socket(int family, int kind) { return S(SYS_socket, family, kind, 0); }
static int try_socket_tcp(void) { return try_socket(AF_INET, SOCK_STREAM); }
static int try_socket_udp(void) { return try_socket(AF_INET, SOCK_DGRAM); }
static int try_socket_tcp6(void) { return try_socket(AF_INET6, SOCK_STREAM); }
static int try_socket_unix(void) { return try_socket(AF_UNIX, SOCK_STREAM); }
static int try_socket_netlink(void) { return try_socket(AF_NETLINK, SOCK_RAW); }
static int try_socket_packet(void) { return try_socket(AF_PACKET, SOCK_RAW); }
static int try_socket_raw(void) { return S(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static int try_socket_vsock(void) { return try_socket(40, SOCK_STREAM); }
static int try_socket_alg(void) { return try_socket(38, SOCK_SEQPACKET); }
static int try_socket_every_family(void) {
  int denied = -ENOENT;
  for (int family = 0; family < 46; family++) {
    int result = try_socket(family, SOCK_STREAM);
    if (result == 0) return 0;
    denied = result;
  }
  return denied;
}
static int try_socket_pair(void) {
  int ends[2];
  return S(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
}
static int try_connect_own(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/reelwright-attack-socket"};
  return S(SYS_connect, 3, &address, sizeof address);
}
static int try_send_to(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return S(SYS_sendto, 3, "x", 1, 0, &address, sizeof address);
}
static int try_listen_own(void) { return S(SYS_listen, 3, 1); }
static int try_accept(void) { return S(SYS_accept4, 3, NULL, NULL, 0); }
static int try_shutdown_own(void) { return S(SYS_shutdown, 3, SHUT_RD); }
static int try_socket_option(void) {
  int size = 1 << 20;
  return S(SYS_setsockopt, 3, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static int reaped(long child) {
  if (child == 0) _exit(0);
  if (child < 0) return -errno;
  waitpid((pid_t)child, NULL, __WALL);
  return 0;
}
static int try_fork(void) { return reaped(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static int try_fork_old(void) { return reaped(syscall(SYS_fork)); }
static int try_vfork(void) { return reaped(syscall(SYS_clone, SIGCHLD | CLONE_FILES, 0, 0, 0, 0)); }
static int try_clone_namespace(void) { return reaped(syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER | CLONE_NEWNS, 0, 0, 0, 0)); }
static int try_clone3(void) {
  uint64_t arguments[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
  return reaped(syscall(SYS_clone3, arguments, sizeof arguments));
}
static int try_clone3_plain(void) {
  uint64_t arguments[11] = {0, 0, 0, 0, SIGCHLD};
  return reaped(syscall(SYS_clone3, arguments, sizeof arguments));
}
// An attempt that replaces the program succeeds when the new program ends with status 0: the orchestrator then sees an
// end without an answer, which a test takes for success.
static int try_exec(void) {
  char *arguments[] = {"/bin/true", NULL}, *environment[] = {NULL};
  return S(SYS_execve, "/bin/true", arguments, environment);
}
static int try_exec_given(void) {
  char *arguments[] = {"x", NULL}, *environment[] = {NULL};
  return S(SYS_execveat, 0, "", arguments, environment, AT_EMPTY_PATH);
}
static int try_memfd(void) { return S(SYS_memfd_create, "x", 0); }
static int try_memfd_secret(void) { return S(447 /* memfd_secret */, 0); }
static int try_executable_memory(void) {
  return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -errno : 0;
}
static int try_make_executable(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? -errno : S(SYS_mprotect, page, 4096UL, PROT_READ | PROT_EXEC);
}
static int try_pkey(void) { return S(SYS_pkey_mprotect, status_buffer, 0UL, PROT_READ | PROT_EXEC, -1); }
static int try_personality(void) { return S(SYS_personality, 0x0400000UL /* READ_IMPLIES_EXEC */); }

static int try_unshare(void) { return S(SYS_unshare, CLONE_NEWNS); }
static int try_unshare_user(void) { return S(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNET); }
static int try_setns(void) { return S(SYS_setns, 0, 0); }
static int try_mount(void) { return S(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL); }
static int try_umount(void) { return S(SYS_umount2, "/mnt", MNT_DETACH); }
static int try_open_tree(void) { return S(SYS_open_tree, AT_FDCWD, "/", 1); }
static int try_fsopen(void) { return S(SYS_fsopen, "tmpfs", 0); }
static int try_pivot_root(void) { return S(SYS_pivot_root, "/", "/"); }

static int try_ptrace(void) { return S(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0); }
static int try_trace_me(void) { return S(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }
static int try_kill_parent(void) { return S(SYS_kill, getppid(), 0); }
static int try_kill_all(void) { return S(SYS_kill, -1, 0); }
static int try_tkill(void) { return S(SYS_tkill, getppid(), 0); }
static int try_tgkill(void) { return S(SYS_tgkill, getppid(), getppid(), 0); }
static int try_queue_signal(void) {
  siginfo_t information = {.si_code = SI_QUEUE};
  return S(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &information);
}
static int try_read_parent(void) {
  struct iovec mine = {status_buffer, 8}, other = {(void *)status_buffer, 8};
  return S(SYS_process_vm_readv, getppid(), &mine, 1, &other, 1, 0);
}
static int try_write_parent(void) {
  struct iovec mine = {status_buffer, 8}, other = {(void *)status_buffer, 8};
  return S(SYS_process_vm_writev, getppid(), &mine, 1, &other, 1, 0);
}
static int try_pidfd(void) { return S(SYS_pidfd_open, getppid(), 0); }
static int try_pidfd_getfd(void) { return S(SYS_pidfd_getfd, 0, 0, 0); }
static int try_pidfd_signal(void) { return S(SYS_pidfd_send_signal, 0, 0, NULL, 0); }
static int try_process_madvise(void) { return S(SYS_process_madvise, 0, NULL, 0, 0, 0); }
static int try_kcmp(void) { return S(SYS_kcmp, getpid(), getppid(), 0, 0, 0); }
static int try_move_pages(void) { return S(SYS_move_pages, getppid(), 0UL, NULL, NULL, NULL, 0); }
static int try_affinity_of_parent(void) {
  unsigned long mask = 1;
  return S(SYS_sched_setaffinity, getppid(), sizeof mask, &mask);
}
static int try_priority(void) { return S(SYS_setpriority, PRIO_PROCESS, getppid(), 0); }

static int try_io_uring(void) { return S(SYS_io_uring_setup, 1, status_buffer); }
static int try_aio(void) {
  unsigned long context = 0;
  return S(SYS_io_setup, 1, &context);
}
static int try_bpf(void) { return S(SYS_bpf, 0, status_buffer, 64); }
static int try_userfaultfd(void) { return S(SYS_userfaultfd, O_CLOEXEC); }
static int try_keyctl(void) { return S(SYS_keyctl, 0, -3, 1); }
static int try_add_key(void) { return S(SYS_add_key, "user", "x", "y", 1, -3); }
static int try_perf(void) {
  memset(status_buffer, 0, sizeof status_buffer);
  uint32_t size = 112, kind = 1;  // PERF_TYPE_SOFTWARE
  memcpy(status_buffer, &kind, 4);
  memcpy(status_buffer + 4, &size, 4);
  return S(SYS_perf_event_open, status_buffer, 0, -1, -1, 0);
}
static int try_tiocsti(void) {
  char letter = 'x';
  return S(SYS_ioctl, 2, TIOCSTI, &letter);
}
static int try_ioctl_given(void) {
  int waiting;
  return S(SYS_ioctl, 3, FIONREAD, &waiting);
}
static int try_set_owner(void) { return S(SYS_fcntl, 3, F_SETOWN, getppid()); }
static int try_lease(void) { return S(SYS_fcntl, 0, F_SETLEASE, F_RDLCK); }
static int try_set_flags(void) { return S(SYS_fcntl, 3, F_SETFL, O_ASYNC); }

static int try_raise_limit(void) {
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  return S(SYS_setrlimit, RLIMIT_NOFILE, &limit);
}
static int try_raise_prlimit(void) {
  struct rlimit limit = {4096, 4096};
  return S(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
}
static int try_prlimit_parent(void) {
  struct rlimit limit;
  return S(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, &limit);
}
static int try_dumpable(void) { return S(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static int try_outlive(void) { return S(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0); }
static int try_seccomp(void) { return S(SYS_seccomp, 0, 0, NULL); }
static int try_capset(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2];
  memset(sets, 0xff, sizeof sets);
  return S(SYS_capset, &header, sets);
}
static int try_setuid(void) { return S(SYS_setuid, 0); }
static int try_setresgid(void) { return S(SYS_setresgid, 0, 0, 0); }
static int try_setgroups(void) { return S(SYS_setgroups, 0, NULL); }
static int try_setsid(void) { return S(SYS_setpgid, 0, 0); }
static int try_settimeofday(void) {
  struct timezone zone = {0, 0};
  return S(SYS_settimeofday, NULL, &zone);
}
static int try_clock_settime(void) {
  struct timespec invalid = {.tv_sec = -1};
  return S(SYS_clock_settime, CLOCK_REALTIME, &invalid);
}
static int try_adjtimex(void) {
  memset(status_buffer, 0, sizeof status_buffer);
  return S(SYS_adjtimex, status_buffer);
}
static int try_reboot(void) { return S(SYS_reboot, 0xfee1dead, 672274793, 0 /* Ctrl-Alt-Del off */, NULL); }
static int try_sethostname(void) { return S(SYS_sethostname, "", 0); }
static int try_swapon(void) { return S(SYS_swapon, victim, 0); }
static int try_module(void) { return S(SYS_finit_module, 0, "", 0); }
static int try_kexec(void) { return S(SYS_kexec_load, 0L, 0L, NULL, 0L); }
static int try_syslog(void) { return S(SYS_syslog, 10 /* size of the buffer */, NULL, 0); }
static int try_acct(void) { return S(SYS_acct, "/tmp/reelwright-attack"); }
static int try_iopl(void) { return S(SYS_iopl, 3); }
static int try_quotactl(void) { return S(SYS_quotactl, 0, NULL, 0, NULL); }
static int try_shm(void) { return S(SYS_shmget, 0, 4096UL, 01000 | 0600); }
static int try_msg(void) { return S(SYS_msgget, 0, 01000 | 0600); }
static int try_mq(void) { return S(SYS_mq_open, "/reelwright", O_CREAT | O_RDWR, 0600, NULL); }
static int try_modify_ldt(void) { return S(SYS_modify_ldt, 0, status_buffer, 64UL); }
static int try_other_abi(void) {
  // The 32-bit entry has its own numbers: 5 is open there.
  int result = -EACCES;
#if defined(__x86_64__)
  long answer;
  char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) return -errno;
  strcpy(low, victim);
  __asm__ volatile("int $0x80" : "=a"(answer) : "a"(5L), "b"(low), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
  result = answer < 0 ? (int)answer : 0;
#endif
  return result;
}
static int try_x32(void) { return S(0x40000000L + SYS_openat, AT_FDCWD, victim, O_RDONLY, 0); }

static int try_descriptor_not_given(void) { return attack_open_descriptor(4) < 0 ? -EBADF : 0; }
static int try_read_orchestrator_side(void) { return S(SYS_pread64, 4, status_buffer, 1UL, 0L); }

typedef struct {
  const char *name;
  int (*run)(void);
  int has_control;
} attack_t;

#define A(name, control) {#name, try_##name, control}

static const attack_t attacks[] = {
  A(open, 1), A(open_statistics, 0), A(open_old, 1), A(open_proc, 1), A(open_path, 1), A(open_how, 1), A(open_relative, 1), A(reopen_descriptor, 1),
  A(create, 1), A(tmpfile, 0), A(creat, 1), A(mknod, 0), A(stat, 1), A(lstat, 1), A(stat_at, 1), A(stat_flag, 1), A(statx, 1),
  A(statfs, 1), A(access, 1), A(access_at, 1), A(readlink, 1), A(readlink_at, 1), A(getcwd, 1), A(chdir, 1), A(chroot, 1),
  A(xattr, 1), A(inotify, 1), A(fanotify, 0), A(handle, 0), A(unlink, 1), A(unlink_old, 1), A(rename, 1), A(rename_old, 1),
  A(symlink, 0), A(link, 0), A(chmod, 1), A(chmod_given, 0), A(chown, 1), A(mkdir, 0), A(truncate, 1), A(utime, 1),
  A(socket_tcp, 1), A(socket_udp, 1), A(socket_tcp6, 0), A(socket_unix, 1), A(socket_netlink, 1), A(socket_packet, 0),
  A(socket_raw, 0), A(socket_vsock, 0), A(socket_alg, 0), A(socket_every_family, 1), A(socket_pair, 1), A(connect_own, 0),
  A(send_to, 0), A(listen_own, 0), A(accept, 0), A(shutdown_own, 0), A(socket_option, 0), A(fork, 1), A(fork_old, 1), A(vfork, 1),
  A(clone_namespace, 0), A(clone3, 0), A(clone3_plain, 1), A(exec, 0), A(exec_given, 0), A(memfd, 1), A(memfd_secret, 0),
  A(executable_memory, 1), A(make_executable, 1), A(pkey, 0), A(personality, 1), A(unshare, 1), A(unshare_user, 0), A(setns, 0),
  A(mount, 0), A(umount, 0), A(open_tree, 1), A(fsopen, 0), A(pivot_root, 0), A(ptrace, 0), A(trace_me, 0), A(kill_parent, 1),
  A(kill_all, 0), A(tkill, 1), A(tgkill, 1), A(queue_signal, 0), A(read_parent, 0), A(write_parent, 0), A(pidfd, 1),
  A(pidfd_getfd, 0), A(pidfd_signal, 0), A(process_madvise, 0), A(kcmp, 0), A(move_pages, 0), A(affinity_of_parent, 0),
  A(priority, 1), A(io_uring, 0), A(aio, 0), A(bpf, 0), A(userfaultfd, 0), A(keyctl, 0), A(add_key, 0), A(perf, 0), A(tiocsti, 0),
  A(ioctl_given, 0), A(set_owner, 0), A(lease, 0), A(set_flags, 0), A(raise_limit, 0), A(raise_prlimit, 1), A(prlimit_parent, 1),
  A(dumpable, 1), A(outlive, 1), A(seccomp, 0), A(capset, 0), A(setuid, 1), A(setresgid, 1), A(setgroups, 1), A(setsid, 0),
  A(settimeofday, 0), A(clock_settime, 0), A(adjtimex, 0), A(reboot, 0), A(sethostname, 0), A(swapon, 0), A(module, 0),
  A(kexec, 0), A(syslog, 0), A(acct, 0), A(iopl, 0), A(quotactl, 0), A(shm, 0), A(msg, 0), A(mq, 0), A(modify_ldt, 0),
  A(other_abi, 0), A(x32, 0), A(descriptor_not_given, 0), A(read_orchestrator_side, 0),
};

int attack_count(void) { return (int)(sizeof attacks / sizeof attacks[0]); }
const char *attack_name(int index) { return attacks[index].name; }
int attack_has_control(int index) { return attacks[index].has_control; }

int attack_run(const char *name) {
  for (int i = 0; i < attack_count(); i++) {
    if (strcmp(attacks[i].name, name) == 0) return attacks[i].run();
  }
  return 0;
}

int attack_allocate(long bytes) {
  volatile char *memory = malloc((size_t)bytes);
  if (!memory) return -ENOMEM;
  for (long offset = 0; offset < bytes; offset += 4096) memory[offset] = 1;
  return 0;
}

void attack_crash(void) {
  volatile int *volatile nowhere = NULL;
  *nowhere = 1;
}

int attack_open_descriptor(int first) {
  for (int descriptor = first; descriptor < 4096; descriptor++) {
    if (fcntl(descriptor, F_GETFD) >= 0) return descriptor;
  }
  return -1;
}
