#include "CSystem.h"

#include <dlfcn.h>
#include <unistd.h>

void rw_learn_processors(void) {
  sysconf(_SC_NPROCESSORS_ONLN);
  sysconf(_SC_NPROCESSORS_CONF);
  // libnuma comes with libx265, not with us. It reads which processors belong to which node at the first such question,
  // and remembers; without an answer libx265 works without its thread pool and makes another bit stream.
  int (*node_of_processor)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, "numa_node_of_cpu");
  int (*is_available)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "numa_available");
  if (node_of_processor && is_available && is_available() >= 0) node_of_processor(0);
}
