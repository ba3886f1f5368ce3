#pragma once

// Before <hwy/foreach_target.h>: the targets that get kernels; each has a fused multiply-add
// (Highway's SSE targets round twice).  Highway compiles others too, more with every version: they
// are left empty.
#define OSSAU_FUSED_TARGETS (HWY_AVX3 | HWY_AVX2 | HWY_NEON)
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
