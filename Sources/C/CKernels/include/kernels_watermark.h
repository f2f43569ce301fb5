#ifndef REELWRIGHT_KERNELS_WATERMARK_H
#define REELWRIGHT_KERNELS_WATERMARK_H

#include <stddef.h>
#include <stdint.h>

#endif
