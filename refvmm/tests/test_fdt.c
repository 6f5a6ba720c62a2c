/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree, read back with libfdt and checked by dtc. */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdt.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

struct tree {
	struct machine_conf conf;
	struct fake_env *fe;
	struct board board;
	struct fdt f;
};

static int tree_new(struct tree *t, enum gic_version gic, unsigned smp, bool highmem,
		    const struct boot *boot)
{
	memset(t, 0, sizeof(*t));
	t->conf = (struct machine_conf){.smp = smp, .gic = gic, .highmem = highmem};
	t->conf.ram.size = 0x10000000;
	t->conf.its = gic == GIC_V3 ? ON : OFF;
	t->conf.cpu.pmu = ON;
	t->conf.append = "console=ttyAMA0";
	t->fe = fake_env_new();
	t->fe->env.msi = gic == GIC_V3 ? ENV_MSI_ITS : ENV_MSI_V2M;
	if (board_conf_init(&t->conf) || board_build(&t->board, &t->conf, &t->fe->env))
		abort();
	return fdt_build(&t->f, &t->conf, &t->board, boot, NULL);
}

static void tree_free(struct tree *t)
{
	dt_free(&t->f);
	board_free(&t->board);
	board_conf_free(&t->conf);
	fake_env_free(t->fe);
}

static uint32_t cell(const struct tree *t, const char *path, const char *prop, unsigned n)
{
	int len = 0, node = fdt_path_offset(t->f.blob, path);
	const fdt32_t *p = node < 0 ? NULL : fdt_getprop(t->f.blob, node, prop, &len);

	return p && (unsigned)len >= 4 * (n + 1) ? fdt32_to_cpu(p[n]) : 0xbad0bad0;
}

static const char *text(const struct tree *t, const char *path, const char *prop)
{
	int node = fdt_path_offset(t->f.blob, path);

	return node < 0 ? NULL : fdt_getprop(t->f.blob, node, prop, NULL);
}

/* As the machine does it: in guest RAM, which holds nothing else afterwards. The larger one outgrows its room. */
static void build_in_place(unsigned smp)
{
	static uint8_t ram[DT_BYTES_MAX];
	struct tree t;
	struct fdt f;
	size_t size, dirt = 0;

	ASSERT_EQ(tree_new(&t, GIC_V3, smp, true, NULL), 0);
	memset(ram, 0, sizeof(ram));
	ASSERT_EQ(fdt_build(&f, &t.conf, &t.board, NULL, ram), 0);
	size = dt_size(&f);
	EXPECT_EQ(size, dt_size(&t.f));
	EXPECT(!memcmp(ram, t.f.blob, size));
	for (size_t i = size; i < sizeof(ram); i++)
		dirt += ram[i] != 0;
	EXPECT_EQ(dirt, 0);
	dt_free(&f);
	tree_free(&t);
}

TEST(fdt, is_the_same_in_place)
{
	build_in_place(1);
	build_in_place(130);
}

TEST(fdt, describes_gicv3_machine)
{
	static const struct boot boot = {.initrd = 0x48000000, .initrd_size = 0x1234};
	struct tree t;

	ASSERT_EQ(tree_new(&t, GIC_V3, 130, true, &boot), 0);
	EXPECT_EQ(fdt_check_full(t.f.blob, dt_size(&t.f)), 0);
	EXPECT_STR(text(&t, "/chosen", "bootargs"), "console=ttyAMA0");
	EXPECT_STR(text(&t, "/chosen", "stdout-path"), "/pl011@9000000");
	EXPECT_STR(text(&t, "/pl011@9000000", "compatible"), "arm,pl011");
	EXPECT_EQ(cell(&t, "/pl011@9000000", "interrupts", 1), 1);
	EXPECT_EQ(cell(&t, "/chosen", "linux,initrd-start", 1), 0x48000000);
	EXPECT_EQ(cell(&t, "/chosen", "linux,initrd-end", 1), 0x48001234);
	EXPECT_EQ(cell(&t, "/memory@40000000", "reg", 1), 0x40000000);
	EXPECT_EQ(cell(&t, "/memory@40000000", "reg", 3), 0x10000000);
	/* 123 redistributors low, 7 high */
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000", "#redistributor-regions", 0), 2);
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000", "reg", 5), 0x080a0000);
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000", "reg", 7), 123 * 0x20000);
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000", "reg", 8), 0x40);
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000", "reg", 11), 7 * 0x20000);
	EXPECT_STR(text(&t, "/interrupt-controller@8000000/msi-controller@8080000", "compatible"),
		   "arm,gic-v3-its");
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000/msi-controller@8080000", "#msi-cells", 0),
		  1);
	EXPECT(text(&t, "/interrupt-controller@8000000/msi-controller@8080000", "msi-controller"));
	EXPECT(text(&t, "/interrupt-controller@8000000", "interrupt-controller"));
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000", "#interrupt-cells", 0), 3);
	EXPECT_STR(text(&t, "/psci", "method"), "hvc");
	/* secure, non-secure, virtual, hypervisor: PPI 13, 14, 11, 10, level high */
	EXPECT_EQ(cell(&t, "/timer", "interrupts", 1), 13);
	EXPECT_EQ(cell(&t, "/timer", "interrupts", 4), 14);
	EXPECT_EQ(cell(&t, "/timer", "interrupts", 7), 11);
	EXPECT_EQ(cell(&t, "/timer", "interrupts", 10), 10);
	EXPECT_EQ(cell(&t, "/timer", "interrupts", 2), 4);
	EXPECT_EQ(cell(&t, "/pmu", "interrupts", 1), 7);
	/* KVM puts 16 CPUs at affinity 0 */
	EXPECT_EQ(cell(&t, "/cpus/cpu@f", "reg", 0), 0xf);
	EXPECT_EQ(cell(&t, "/cpus/cpu@100", "reg", 0), 0x100);
	EXPECT_EQ(cell(&t, "/cpus/cpu@801", "reg", 0), 0x801);
	EXPECT(fdt_path_offset(t.f.blob, "/cpus/cpu@802") < 0);
	tree_free(&t);
}

TEST(fdt, describes_gicv2_machine)
{
	struct tree t;

	ASSERT_EQ(tree_new(&t, GIC_V2, 3, false, NULL), 0);
	EXPECT_STR(text(&t, "/interrupt-controller@8000000", "compatible"), "arm,cortex-a15-gic");
	EXPECT_EQ(cell(&t, "/interrupt-controller@8000000", "reg", 5), 0x08010000);
	EXPECT_EQ(cell(&t, "/timer", "interrupts", 2), 0x704);
	EXPECT(fdt_node_offset_by_compatible(t.f.blob, -1, "arm,gic-v2m-frame") > 0);
	EXPECT(fdt_node_offset_by_compatible(t.f.blob, -1, "arm,gic-v3-its") < 0);
	EXPECT(!text(&t, "/chosen", "linux,initrd-start"));
	tree_free(&t);
}

TEST(fdt, msi_goes_where_the_machine_has_it)
{
	for (unsigned i = 0; i < 2; i++) {
		const char *compatible = i ? "arm,gic-v2m-frame" : "arm,gic-v3-its";
		struct tree t;
		int node;

		ASSERT_EQ(tree_new(&t, i ? GIC_V2 : GIC_V3, 1, true, NULL), 0);
		node = fdt_node_offset_by_compatible(t.f.blob, -1, compatible);
		EXPECT(node > 0 && fdt_get_phandle(t.f.blob, node) == DT_PHANDLE_MSI);
		tree_free(&t);
	}
}

TEST(fdt, same_machine_same_bytes)
{
	struct tree a, b;

	ASSERT_EQ(tree_new(&a, GIC_V3, 4, true, NULL), 0);
	ASSERT_EQ(tree_new(&b, GIC_V3, 4, true, NULL), 0);
	ASSERT_EQ(dt_size(&a.f), dt_size(&b.f));
	EXPECT(!memcmp(a.f.blob, b.f.blob, dt_size(&a.f)));
	tree_free(&a);
	tree_free(&b);
}

TEST(fdt, the_largest_machine_fits)
{
	struct tree t;

	ASSERT_EQ(tree_new(&t, GIC_V3, 512, true, NULL), 0);
	EXPECT(dt_size(&t.f) < DT_BYTES_MAX);
	tree_free(&t);
}

/* Runs dtc over it; every line it prints is a finding. */
static void check_with_dtc(const struct tree *t)
{
	char path[] = "/tmp/refvmm-fdt-XXXXXX", cmd[128], line[256];
	int fd = mkstemp(path);
	FILE *dtc;

	ASSERT(fd >= 0);
	EXPECT_EQ(write(fd, t->f.blob, dt_size(&t->f)), dt_size(&t->f));
	close(fd);
	snprintf(cmd, sizeof(cmd), "dtc -I dtb -O dtb -o /dev/null %s 2>&1", path);
	dtc = popen(cmd, "r");
	if (dtc) {
		while (fgets(line, sizeof(line), dtc))
			unit_fail_str(__FILE__, __LINE__, "dtc", line, "no warning");
		EXPECT_EQ(pclose(dtc), 0);
	}
	unlink(path);
}

TEST(fdt, dtc_finds_nothing)
{
	if (system("command -v dtc >/dev/null"))
		SKIP("no dtc here; install device-tree-compiler");
	for (unsigned i = 0; i < 4; i++) {
		struct tree t;

		ASSERT_EQ(tree_new(&t, i & 1 ? GIC_V2 : GIC_V3, 2, i & 2, NULL), 0);
		check_with_dtc(&t);
		tree_free(&t);
	}
}
