#include "CFuzzer.h"

#include <sys/mman.h>

int fuzz_file(void) { return memfd_create("fuzz", MFD_CLOEXEC); }

// libFuzzer's own main, which is linked along and never runs, refers to it.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return 0; }
