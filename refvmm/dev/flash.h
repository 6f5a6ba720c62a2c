/* SPDX-License-Identifier: Apache-2.0 */
/* The board's two flash banks: firmware in the first, its variables in the second. */
#ifndef REFVMM_DEV_FLASH_H
#define REFVMM_DEV_FLASH_H

#include "core/dev.h"

#define FLASH_BANKS	  2U
#define FLASH_BANK_SIZE	  0x04000000ULL
#define FLASH_SECTOR_SIZE 0x40000ULL
#define FLASH_BUFFER_SIZE 0x1000U /* both chips of a bank: 2 KiB each */

/* Options: paths, or NULL. */
struct flash_conf {
	const char *firmware;	   /* bank 0, never written */
	const char *vars;	   /* bank 1 */
	const char *vars_template; /* what `vars` is made of when it does not exist */
};

extern const struct dev_ops flash_ops;

#endif
