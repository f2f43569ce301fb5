#include "CSystem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int rw_socket_pair(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : -errno;
}

int rw_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  return rw_set_nonblocking(ends[0]);
}

int rw_set_nonblocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
  return 0;
}

intptr_t rw_send(int socket, const void *bytes, size_t count, const int *passed, int passed_count) {
  if (passed_count < 0 || passed_count > RW_MAX_PASSED) return -EINVAL;
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * RW_MAX_PASSED)];
  } control;
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (passed_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)passed_count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)passed_count);
    memcpy(CMSG_DATA(header), passed, sizeof(int) * (size_t)passed_count);
  }
  for (;;) {
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return -errno;
  }
}

intptr_t rw_receive(int socket, void *bytes, size_t count, int passed[RW_MAX_PASSED], int *passed_count) {
  struct iovec part = {.iov_base = bytes, .iov_len = count};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * RW_MAX_PASSED)];
  } control;
  *passed_count = 0;
  for (;;) {
    struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      int number = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      for (int i = 0; i < number; i++) {
        int descriptor;
        memcpy(&descriptor, CMSG_DATA(header) + sizeof(int) * (size_t)i, sizeof descriptor);
        if (*passed_count < RW_MAX_PASSED) {
          passed[(*passed_count)++] = descriptor;
        } else {
          close(descriptor);
        }
      }
    }
    return received;
  }
}

intptr_t rw_receive_bytes(int socket, void *bytes, size_t count) {
  for (;;) {
    ssize_t received = recv(socket, bytes, count, 0);
    if (received >= 0) return received;
    if (errno != EINTR) return -errno;
  }
}

int rw_wait_ready(int socket, int want_write, int second, int timeout_milliseconds, int *ready) {
  struct pollfd watched[2] = {
    {.fd = socket, .events = (short)(POLLIN | (want_write ? POLLOUT : 0))},
    {.fd = second, .events = POLLIN},
  };
  *ready = 0;
  if (poll(watched, 2, timeout_milliseconds) < 0) return errno == EINTR ? 0 : -errno;
  if (watched[0].revents & (POLLIN | POLLHUP | POLLERR)) *ready |= 1;
  if (watched[0].revents & POLLOUT) *ready |= 2;
  if (watched[1].revents & (POLLIN | POLLHUP | POLLERR)) *ready |= 4;
  return 0;
}

void rw_close_from(int first) {
  // Kernels before 5.9 do not have it.
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) != 0) rw_close_listed(first);
}

/// The highest descriptor of this process; -1 when it cannot be known. Makes system calls only.
static int highest_descriptor(int spare) {
  int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 && (errno == EMFILE || errno == ENFILE)) {
    // It is to be closed anyway.
    close(spare);
    folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  if (folder < 0) return -1;
  int highest = -1;
  _Alignas(struct dirent64) char bytes[2048];
  ssize_t count;
  while ((count = getdents64(folder, bytes, sizeof bytes)) > 0) {
    for (ssize_t at = 0; at < count;) {
      const struct dirent64 *entry = (const struct dirent64 *)(const void *)(bytes + at);
      int number = 0;
      for (const char *digit = entry->d_name; *digit >= '0' && *digit <= '9'; digit++) number = number * 10 + (*digit - '0');
      if (number > highest) highest = number;
      at += entry->d_reclen;
    }
  }
  close(folder);
  return count < 0 ? -1 : highest;
}

int rw_close_listed(int first) {
  int highest = highest_descriptor(first);
  if (highest < 0) {
    // Without /proc: no more than the kernel's own default, whatever the limit says.
    long most = sysconf(_SC_OPEN_MAX);
    highest = most > 0 && most < 1 << 20 ? (int)most - 1 : (1 << 20) - 1;
  }
  for (int descriptor = first; descriptor <= highest; descriptor++) close(descriptor);
  return highest;
}
