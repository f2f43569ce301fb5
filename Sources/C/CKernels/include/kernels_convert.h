#ifndef REELWRIGHT_KERNELS_CONVERT_H
#define REELWRIGHT_KERNELS_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#endif
