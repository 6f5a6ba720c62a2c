/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware.h"

#include <string.h>

#include "bootorder.h"
#include "core/err.h"
#include "dev/fw_cfg.h"
#include "smbios.h"

static void offer_numbers(struct dev *d, const struct machine_conf *c)
{
	fw_cfg_add_number(d, FW_CFG_RAM_SIZE, c->ram.size, 8);
	fw_cfg_add_number(d, FW_CFG_NOGRAPHIC, 1, 2);
	fw_cfg_add_number(d, FW_CFG_NB_CPUS, c->smp, 2);
	fw_cfg_add_number(d, FW_CFG_MAX_CPUS, c->smp, 2);
	fw_cfg_add_number(d, FW_CFG_BOOT_MENU, 0, 2);
}

static void offer_kernel(struct dev *d, const struct machine_conf *c,
			 const struct boot_files *files)
{
	const struct file *k = &files->kernel, *i = &files->initrd;

	if (!k->data)
		return;
	fw_cfg_add_number(d, FW_CFG_KERNEL_SIZE, k->len, 4);
	fw_cfg_add(d, FW_CFG_KERNEL_DATA, k->data, k->len);
	if (i->data) {
		fw_cfg_add_number(d, FW_CFG_INITRD_SIZE, i->len, 4);
		fw_cfg_add(d, FW_CFG_INITRD_DATA, i->data, i->len);
	}
	if (c->append) {
		fw_cfg_add_number(d, FW_CFG_CMDLINE_SIZE, strlen(c->append) + 1, 4);
		fw_cfg_add(d, FW_CFG_CMDLINE_DATA, c->append, strlen(c->append) + 1);
	}
}

static int offer_file(struct dev *d, const char *name, const struct buf *b)
{
	int ret = fw_cfg_add_file(d, name, b->data, b->len);

	return ret ? err_usage("--fw-cfg: no place left for %s", name) : 0;
}

static int offer_smbios(struct firmware *fw, struct dev *d, const struct machine_conf *c)
{
	int ret = smbios_build(c, &fw->smbios, &fw->smbios_anchor);

	if (ret)
		return err_host(-ret, "SMBIOS tables");
	ret = offer_file(d, "etc/smbios/smbios-tables", &fw->smbios);
	return ret ? ret : offer_file(d, "etc/smbios/smbios-anchor", &fw->smbios_anchor);
}

/* Named only where there is an order: without one the firmware has its own. */
static int offer_bootorder(struct firmware *fw, struct dev *d, const struct machine_conf *c,
			   const struct board *b)
{
	int ret = bootorder_build(&fw->bootorder, c, b);

	if (ret)
		return err_host(-ret, "boot order");
	return fw->bootorder.len ? offer_file(d, "bootorder", &fw->bootorder) : 0;
}

static int offer_acpi(struct firmware *fw, struct dev *d, const struct machine_conf *c,
		      const struct board *b)
{
	int ret = acpi_build(&fw->acpi, c, b);

	if (ret)
		return err_host(-ret, "ACPI tables");
	ret = offer_file(d, "etc/acpi/tables", &fw->acpi.tables);
	if (!ret)
		ret = offer_file(d, "etc/acpi/rsdp", &fw->acpi.rsdp);
	return ret ? ret : offer_file(d, "etc/table-loader", &fw->acpi.loader);
}

int firmware_offer(struct firmware *fw, const struct machine_conf *c, const struct board *b,
		   const struct boot_files *files)
{
	struct dev *d = board_dev(b, &fw_cfg_ops);
	int ret;

	if (!d)
		return 0;
	offer_numbers(d, c);
	if (!board_has_firmware(c))
		return 0;
	offer_kernel(d, c, files);
	ret = offer_smbios(fw, d, c);
	if (!ret)
		ret = offer_bootorder(fw, d, c, b);
	return ret || c->acpi == OFF ? ret : offer_acpi(fw, d, c, b);
}

void firmware_free(struct firmware *fw)
{
	acpi_free(&fw->acpi);
	buf_free(&fw->smbios);
	buf_free(&fw->smbios_anchor);
	buf_free(&fw->bootorder);
}
