#ifndef REELWRIGHT_FUZZER_H
#define REELWRIGHT_FUZZER_H

#include <stddef.h>
#include <stdint.h>

// libFuzzer's loop as a function (clang's compiler-rt); it is there when the program is built with -sanitize=fuzzer.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

// A new, empty file in memory (memfd_create, which Swift's Glibc does not show); -1 when there is none to be had.
int fuzz_file(void);

#endif
