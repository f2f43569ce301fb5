#ifndef REELWRIGHT_KERNELS_TRANSITION_H
#define REELWRIGHT_KERNELS_TRANSITION_H

#include <stddef.h>
#include <stdint.h>

#endif
