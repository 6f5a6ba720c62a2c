/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's firmware configuration device: items that the guest selects by key and reads. */
#ifndef REFVMM_DEV_FW_CFG_H
#define REFVMM_DEV_FW_CFG_H

#include "core/dev.h"

#define FW_CFG_FILES_MAX 32U
#define FW_CFG_NAME_MAX	 56U /* with its NUL */
#define FW_CFG_USER_MAX	 16U

/* Linux include/uapi/linux/qemu_fw_cfg.h, and QEMU docs/specs/fw_cfg.rst for the items without a name there. */
enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
};

/* --fw-cfg: as typed; read when the machine starts. */
struct fw_cfg_user {
	char name[FW_CFG_NAME_MAX];
	const char *string, *file; /* one of them */
};

struct fw_cfg_conf {
	struct fw_cfg_user user[FW_CFG_USER_MAX];
	unsigned nr;
};

extern const struct dev_ops fw_cfg_ops;

/* fw_cfg_options.c */
extern const struct dev_option fw_cfg_options[];

/* What these point to must stay as long as the device; a number is copied. */
void fw_cfg_add(struct dev *d, enum fw_cfg_key key, const void *data, size_t len);
void fw_cfg_add_number(struct dev *d, enum fw_cfg_key key, uint64_t val, unsigned len);
/* 0, -EEXIST or -ENOSPC. */
int fw_cfg_add_file(struct dev *d, const char *name, const void *data, size_t len);

#endif
