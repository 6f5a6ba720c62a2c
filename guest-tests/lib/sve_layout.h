/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets of struct sve_state and struct fp_state, for sve.S too. */
#ifndef LIB_SVE_LAYOUT_H
#define LIB_SVE_LAYOUT_H

#define SVE_STATE_P    8192
#define SVE_STATE_FFR  8704
#define SVE_STATE_SIZE 8960

#define FP_STATE_FPSR 512

#endif
