/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets of struct entry_record (record.h), for entry.S too. */
#ifndef PSCI_RECORD_LAYOUT_H
#define PSCI_RECORD_LAYOUT_H

#define RECORD_X	 0   /* x0 … x30 */
#define RECORD_CURRENTEL 248 /* from here on 8 bytes each, in the order of the struct */
#define RECORD_Q	 384 /* q0 … q31 */
#define RECORD_DONE	 896
#define RECORD_GO	 904
#define RECORD_MODE	 912
#define RECORD_SMC	 920
#define RECORD_OFF	 928
#define RECORD_SIZE	 960

/* RECORD_MODE: what the CPU does when all is noted */
#define MODE_STAY  1 /* wait for RECORD_GO first */
#define MODE_DIRTY 2 /* write every register that was noted before it goes off */

#endif
