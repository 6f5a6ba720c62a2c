/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that a flash bank answers with: identification and CFI query. */
#ifndef REFVMM_DEV_FLASH_CFI_H
#define REFVMM_DEV_FLASH_CFI_H

#include <stdint.h>

/* What one chip answers at the device address `word`. */
uint16_t flash_cfi_query(unsigned word);
uint16_t flash_cfi_id(unsigned word, int locked);

#endif
