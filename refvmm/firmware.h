/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine that starts in firmware offers it through fw_cfg. */
#ifndef REFVMM_FIRMWARE_H
#define REFVMM_FIRMWARE_H

#include "acpi.h"
#include "boot.h"

struct firmware {
	struct acpi acpi;
	struct buf smbios, smbios_anchor, bootorder;
};

/* Every machine: the numbers. With firmware also kernel, SMBIOS and, unless acpi=off, ACPI tables. */
int firmware_offer(struct firmware *fw, const struct machine_conf *c, const struct board *b,
		   const struct boot_files *files);
void firmware_free(struct firmware *fw);

#endif
