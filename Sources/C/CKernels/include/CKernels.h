#ifndef REELWRIGHT_CKERNELS_H
#define REELWRIGHT_CKERNELS_H

#include "kernels_convert.h"
#include "kernels_text.h"
#include "kernels_transition.h"
#include "kernels_detect.h"
#include "kernels_watermark.h"

#endif
