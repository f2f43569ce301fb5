#include "CSystem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int rw_spawn(const char *path, char *const arguments[], char *const environment[], int socket, int error_output, int32_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  // Numbers below 4 would be overwritten by the actions themselves before they are used.
  int moved_socket = fcntl(socket, F_DUPFD_CLOEXEC, 10);
  if (moved_socket < 0) return -errno;
  int moved_error = fcntl(error_output, F_DUPFD_CLOEXEC, 10);
  if (moved_error < 0) {
    int failure = -errno;
    close(moved_socket);
    return failure;
  }
  int result = posix_spawn_file_actions_init(&actions);
  if (result == 0) {
    result = posix_spawnattr_init(&attributes);
    if (result == 0) {
      if (!result) result = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
      if (!result) result = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
      if (!result) result = posix_spawn_file_actions_adddup2(&actions, moved_error, 2);
      if (!result) result = posix_spawn_file_actions_adddup2(&actions, moved_socket, RW_WORKER_SOCKET);
      if (!result) result = posix_spawn_file_actions_addclosefrom_np(&actions, RW_WORKER_SOCKET + 1);
      if (!result) result = posix_spawnattr_setsigmask(&attributes, &none);
      if (!result) result = posix_spawnattr_setsigdefault(&attributes, &all);
      if (!result)
        result = posix_spawnattr_setflags(
            &attributes, (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
      if (!result) result = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
      posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  close(moved_socket);
  close(moved_error);
  return -result;
}

int rw_start_guardian(int32_t *pid, int *lifeline) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
  // Not fork(): other threads may hold the locks that its handlers take. The child makes system calls only.
  pid_t child = _Fork();
  if (child < 0) {
    int failure = -errno;
    close(ends[0]);
    close(ends[1]);
    return failure;
  }
  if (child == 0) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "reel-guardian", 0, 0, 0);
    dup2(ends[0], 0);
    rw_close_from(1);
    int32_t watched = 0;
    int handle = -1;
    for (;;) {
      int32_t number;
      ssize_t count = read(0, &number, sizeof number);
      if (count < 0 && errno == EINTR) continue;
      if (count != (ssize_t)sizeof number) break;
      watched = number;
      handle = (int)syscall(SYS_pidfd_open, number, 0);
    }
    // It may have left the group. By the handle, so that no other process that has got its number is meant.
    if (handle >= 0 && syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0) == 0) kill(-watched, SIGKILL);
    kill(0, SIGKILL);
    _exit(1);
  }
  // On both sides: the group is there when either goes on.
  setpgid(child, child);
  close(ends[0]);
  *pid = child;
  *lifeline = ends[1];
  return 0;
}

int rw_guard(int lifeline, int32_t pid) {
  ssize_t sent;
  do {
    sent = send(lifeline, &pid, sizeof pid, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == (ssize_t)sizeof pid ? 0 : sent < 0 ? -errno : -EPIPE;
}

int rw_reap(int32_t pid, int block, rw_exit_t *ended) {
  struct rusage usage;
  int status = 0;
  *ended = (rw_exit_t){0};
  for (;;) {
    pid_t found = wait4(pid, &status, block ? 0 : WNOHANG, &usage);
    if (found == 0) {
      ended->running = 1;
      return 0;
    }
    if (found == pid) break;
    if (errno != EINTR) return -errno;
  }
  if (WIFSIGNALED(status)) {
    ended->signal = WTERMSIG(status);
  } else {
    ended->exit_status = WEXITSTATUS(status);
  }
  ended->cpu_microseconds = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
                            usage.ru_stime.tv_usec;
  ended->peak_kibibytes = usage.ru_maxrss;
  return 0;
}

void rw_kill_group(int32_t pid) {
  if (pid <= 1) return;
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
}

int32_t rw_fork(void) {
  pid_t pid = fork();
  return pid < 0 ? -errno : pid;
}

int rw_adopt_descriptors(int socket, int error_output) {
  setsid();
  if (error_output != 2 && dup2(error_output, 2) < 0) return -errno;
  if (socket != RW_WORKER_SOCKET && dup2(socket, RW_WORKER_SOCKET) < 0) return -errno;
  rw_close_from(RW_WORKER_SOCKET + 1);
  return 0;
}

int rw_thread_count(void) {
  DIR *folder = opendir("/proc/self/task");
  if (!folder) return -errno;
  int count = 0;
  for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

int64_t rw_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
