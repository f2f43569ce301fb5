#include "CSystem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int rw_die_with_parent(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return -errno;
  // The parent may have gone before that call: then its end of the socket has gone too.
  struct pollfd parent = {.fd = RW_WORKER_SOCKET, .events = 0};
  return poll(&parent, 1, 0) > 0 && (parent.revents & POLLHUP) ? -EPIPE : 0;
}

int rw_hold_template(void) {
  int32_t left, bounding_left;
  int result = rw_die_with_parent();
  if (!result && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) result = -errno;
  if (!result) result = rw_drop_capabilities(&left, &bounding_left);
  return result;
}

int rw_seal(const rw_seal_options_t *options, rw_seal_report_t *report) {
  *report = (rw_seal_report_t){0};
  report->threads = rw_thread_count();
  if (report->threads > 1) return -EBUSY;

  int result = rw_set_limits(options, &report->limits_set);
  if (result) return result;

  result = rw_die_with_parent();
  if (result) return result;

  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;

  report->kernel_landlock_abi = rw_landlock_abi();
  int abi = report->kernel_landlock_abi;
  if (options->landlock_abi_limit >= 0 && abi > options->landlock_abi_limit) abi = options->landlock_abi_limit;
  if (abi > 0) {
    result = rw_restrict_files(abi);
    if (result) return result;
  }
  report->landlock_abi = abi;

  result = rw_drop_capabilities(&report->capabilities_left, &report->bounding_left);
  if (result) return result;

  if (options->keeps_statistics) rw_make_statistics();
  result = rw_install_signal_handlers();
  if (result) return result;
  result = rw_filter_system_calls(RW_WORKER_SOCKET);
  if (result) return result;

  report->seccomp_mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
  report->no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  report->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  return report->seccomp_mode == 2 && report->no_new_privileges == 1 && report->dumpable == 0 ? 0 : -EPERM;
}
