/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine offers its firmware through fw_cfg, by the keys and names of QEMU's docs/specs/fw_cfg.rst. */
#include "firmware.h"
#include "core/err.h"
#include "dev/fw_cfg.h"
#include "options.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define W(word) ((char *)(word))

struct offer {
	struct fake_env *fe;
	struct machine_conf conf;
	struct board board;
	struct firmware fw;
	uint64_t base; /* of fw_cfg */
};

/* A firmware's file, in memory; the next replaces it. */
static char *image(void)
{
	static char path[32];
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = memfd_create("firmware", MFD_CLOEXEC);
	if (fd < 0 || write(fd, "firmware", 8) != 8)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* The machine of these options; nothing is offered yet. */
static void make(struct offer *o, char *const *words)
{
	int argc = 0;

	memset(o, 0, sizeof(*o));
	o->fe = fake_env_new();
	while (words[argc])
		argc++;
	if (board_conf_init(&o->conf) || options_parse(&o->conf, argc, (char **)(uintptr_t)words) ||
	    board_build(&o->board, &o->conf, &o->fe->env))
		abort();
	o->base = board_dev(&o->board, &fw_cfg_ops)->range[0].base;
}

#define MAKE(o, ...) make(o, (char *const[]){W("refvmm"), W("--kernel"), W("k"), __VA_ARGS__, NULL})

/* What firmware_offer() says; there is a kernel. */
static int offer(struct offer *o)
{
	static const uint8_t kernel[] = "KERNEL", initrd[] = "INITRD!";
	struct boot_files files = {.kernel = {kernel, 6}, .initrd = {initrd, 7}};

	return firmware_offer(&o->fw, &o->conf, &o->board, &files);
}

static void offer_free(struct offer *o)
{
	firmware_free(&o->fw);
	board_free(&o->board);
	board_conf_free(&o->conf);
	fake_env_free(o->fe);
}

static uint64_t item(struct offer *o, unsigned key)
{
	bus_write(&o->board.bus, o->base + 8, 2, htobe16((uint16_t)key));
	return bus_read(&o->board.bus, o->base, 8);
}

static uint32_t next_be32(struct offer *o)
{
	return be32toh((uint32_t)bus_read(&o->board.bus, o->base, 4));
}

#define ABSENT UINT32_MAX

/* The size of a file of the directory. */
static uint32_t file_size(struct offer *o, const char *name)
{
	unsigned count;

	bus_write(&o->board.bus, o->base + 8, 2, htobe16(FW_CFG_FILE_DIR));
	count = next_be32(o);
	while (count--) {
		uint32_t size = next_be32(o);
		char found[FW_CFG_NAME_MAX];

		next_be32(o); /* the key */
		for (unsigned i = 0; i < sizeof(found); i++)
			found[i] = (char)bus_read(&o->board.bus, o->base, 1);
		if (strncmp(found, name, sizeof(found)) == 0)
			return size;
	}
	return ABSENT;
}

TEST(firmware, a_machine_without_it_has_the_numbers_alone)
{
	struct offer o;

	MAKE(&o, W("--memory"), W("64M"), W("--smp"), W("3"));
	EXPECT_EQ(offer(&o), 0);
	EXPECT_EQ(item(&o, FW_CFG_RAM_SIZE), 64 << 20);
	EXPECT_EQ(item(&o, FW_CFG_NB_CPUS), 3);
	EXPECT_EQ(item(&o, FW_CFG_MAX_CPUS), 3);
	EXPECT_EQ(item(&o, FW_CFG_NOGRAPHIC), 1);
	EXPECT_EQ(item(&o, FW_CFG_BOOT_MENU), 0);
	EXPECT_EQ(item(&o, FW_CFG_KERNEL_SIZE), 0);
	EXPECT_EQ(item(&o, FW_CFG_KERNEL_DATA), 0);
	EXPECT_EQ(file_size(&o, "etc/acpi/tables"), ABSENT);
	EXPECT_EQ(file_size(&o, "etc/smbios/smbios-tables"), ABSENT);
	offer_free(&o);
}

TEST(firmware, is_given_kernel_and_tables)
{
	struct offer o;

	MAKE(&o, W("--firmware"), image(), W("--initrd"), W("i"), W("--append"), W("words"),
	     W("--drive"), W("file=x,bootindex=7"));
	EXPECT_EQ(offer(&o), 0);
	EXPECT_EQ(item(&o, FW_CFG_KERNEL_SIZE), 6);
	EXPECT_EQ(item(&o, FW_CFG_INITRD_SIZE), 7);
	EXPECT_EQ(item(&o, FW_CFG_CMDLINE_SIZE), 6); /* with its NUL */
	EXPECT_EQ(htobe64(item(&o, FW_CFG_KERNEL_DATA)), 0x4b45524e454c0000);
	EXPECT_EQ(htobe64(item(&o, FW_CFG_INITRD_DATA)), 0x494e495452442100);
	EXPECT_EQ(htobe64(item(&o, FW_CFG_CMDLINE_DATA)), 0x776f726473000000);
	EXPECT_EQ(file_size(&o, "etc/smbios/smbios-anchor"), 24); /* DSP0134 5.2.2 */
	EXPECT_EQ(file_size(&o, "etc/smbios/smbios-tables"), o.fw.smbios.len);
	EXPECT_EQ(file_size(&o, "bootorder"), sizeof("/pci@ffffffffffffffff/scsi@1/disk@0,0"));
	EXPECT_EQ(file_size(&o, "etc/acpi/rsdp"), 36); /* ACPI 6.0, 5.2.5.3 */
	EXPECT(o.fw.acpi.tables.len > 1000);
	EXPECT_EQ(file_size(&o, "etc/acpi/tables"), o.fw.acpi.tables.len);
	EXPECT_EQ(file_size(&o, "etc/table-loader"), o.fw.acpi.loader.len);
	offer_free(&o);
}

TEST(firmware, has_no_acpi_tables_and_no_order_that_nobody_asked_for)
{
	struct offer o;

	MAKE(&o, W("--firmware"), image(), W("--machine"), W("acpi=off"), W("--drive"),
	     W("file=x"));
	EXPECT_EQ(offer(&o), 0);
	EXPECT_EQ(item(&o, FW_CFG_CMDLINE_SIZE), 0);
	EXPECT_EQ(file_size(&o, "etc/smbios/smbios-tables"), o.fw.smbios.len);
	EXPECT_EQ(file_size(&o, "bootorder"), ABSENT);
	EXPECT_EQ(file_size(&o, "etc/acpi/tables"), ABSENT);
	EXPECT_EQ(file_size(&o, "etc/table-loader"), ABSENT);
	offer_free(&o);
}

TEST(firmware, a_name_that_is_taken_is_refused)
{
	static const char *const ours[] = {"etc/smbios/smbios-tables",
					   "etc/smbios/smbios-anchor",
					   "bootorder",
					   "etc/acpi/tables",
					   "etc/acpi/rsdp",
					   "etc/table-loader"};

	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		struct offer o;

		MAKE(&o, W("--firmware"), image(), W("--drive"), W("file=x,bootindex=7"));
		EXPECT_EQ(fw_cfg_add_file(board_dev(&o.board, &fw_cfg_ops), ours[i], "X", 1), 0);
		EXPECT_EQ(offer(&o), (uint64_t)-ERR_USAGE);
		offer_free(&o);
	}
}
