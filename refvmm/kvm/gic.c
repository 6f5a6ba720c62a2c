/* SPDX-License-Identifier: Apache-2.0 */
/* Documentation/virt/kvm/devices/arm-vgic.rst, arm-vgic-v3.rst, arm-vgic-its.rst. */
#include "kvm/gic.h"

#include <assay/board.h>
#include <errno.h>
#include <linux/kvm.h>
#include <unistd.h>

#include "core/err.h"

#define NR_IRQS	    (32U + KVM_SPIS)
#define REDISTS_LOW (ASSAY_GIC_REDIST_SIZE / 0x20000U)

static int create_device(const struct vm *vm, uint32_t type, bool test)
{
	struct kvm_create_device d = {.type = type, .flags = test ? KVM_CREATE_DEVICE_TEST : 0};
	int ret = kvm_ioctl(vm->fd, KVM_CREATE_DEVICE, &d);

	return ret ? ret : test ? 0 : (int)d.fd;
}

bool gic_offered(const struct vm *vm, unsigned version)
{
	return !create_device(
		vm, version == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2 : KVM_DEV_TYPE_ARM_VGIC_V3, true);
}

bool gic_its_offered(const struct vm *vm)
{
	return !create_device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS, true);
}

static int set_addr(int fd, uint64_t attr, uint64_t val, const char *what)
{
	int ret = kvm_set_attr(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, attr, &val);

	return ret ? err_host(-ret, "vGIC: %s at 0x%lx", what, (unsigned long)val) : 0;
}

static int place_v2(const struct gic *g)
{
	int ret = set_addr(g->fd, KVM_VGIC_V2_ADDR_TYPE_DIST, ASSAY_GIC_DIST_BASE, "distributor");

	return ret ? ret
		   : set_addr(g->fd, KVM_VGIC_V2_ADDR_TYPE_CPU, ASSAY_GIC_CPU_BASE,
			      "CPU interface");
}

/* KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION: count in bits 63:52, base in 51:16, index in 11:0. */
static int add_redists(const struct gic *g, uint64_t base, uint64_t count, uint64_t index)
{
	return set_addr(g->fd, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, count << 52 | base | index,
			"redistributor region");
}

static int place_v3(const struct gic *g, unsigned cpus)
{
	unsigned low = cpus < REDISTS_LOW ? cpus : REDISTS_LOW;
	int ret = set_addr(g->fd, KVM_VGIC_V3_ADDR_TYPE_DIST, ASSAY_GIC_DIST_BASE, "distributor");

	/* Linux 4.17 and before know a single region only. */
	if (!ret &&
	    !kvm_has_attr(g->fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION)) {
		if (cpus > low)
			return err_lacks(
				"gicv3-redist-regions",
				"more than %u vCPUs need a second region of redistributors", low);
		return set_addr(g->fd, KVM_VGIC_V3_ADDR_TYPE_REDIST, ASSAY_GIC_REDIST_BASE,
				"redistributors");
	}
	if (!ret)
		ret = add_redists(g, ASSAY_GIC_REDIST_BASE, low, 0);
	if (!ret && cpus > low)
		ret = add_redists(g, ASSAY_GIC_REDIST_HIGH_BASE, cpus - low, 1);
	return ret;
}

static int create_its(struct gic *g, const struct vm *vm)
{
	g->its_fd = create_device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS, false);
	if (g->its_fd < 0)
		return err_host(-g->its_fd, "KVM_CREATE_DEVICE(ITS)");
	return set_addr(g->its_fd, KVM_VGIC_ITS_ADDR_TYPE, ASSAY_GIC_ITS_BASE, "ITS");
}

int gic_create(struct gic *g, const struct vm *vm, unsigned version, bool its, unsigned cpus)
{
	uint32_t nr_irqs = NR_IRQS;
	int ret;

	*g = (struct gic){.fd = -1, .its_fd = -1, .version = version};
	g->fd = create_device(
		vm, version == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2 : KVM_DEV_TYPE_ARM_VGIC_V3, false);
	if (g->fd < 0)
		return err_host(-g->fd, "KVM_CREATE_DEVICE(GICv%u)", version);
	ret = version == 2 ? place_v2(g) : place_v3(g, cpus);
	if (ret)
		return ret;
	ret = kvm_set_attr(g->fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	if (ret)
		return err_host(-ret, "vGIC: %u interrupts", nr_irqs);
	return its ? create_its(g, vm) : 0;
}

static int init_device(int fd, const char *what)
{
	int ret = kvm_set_attr(fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);

	return ret ? err_host(-ret, "%s: KVM_DEV_ARM_VGIC_CTRL_INIT", what) : 0;
}

int gic_init(struct gic *g)
{
	int ret = init_device(g->fd, "vGIC");

	return ret || g->its_fd < 0 ? ret : init_device(g->its_fd, "ITS");
}

void gic_destroy(struct gic *g)
{
	if (g->its_fd >= 0)
		close(g->its_fd);
	if (g->fd >= 0)
		close(g->fd);
	g->fd = g->its_fd = -1;
}
