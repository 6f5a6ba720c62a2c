/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

SUITE(pcie, .device = "pci-host-ecam-generic", .tags = "pcie", .vmm = "--device pci-test");

static struct pci_host the_host;

/* what stands behind the @ of the id, or nothing */
static const char *variant(void)
{
	const char *at = test_now.id;

	while (*at && *at != '@')
		at++;
	return *at ? at + 1 : at;
}

bool variant_is(const char *name)
{
	return strcmp(variant(), name) == 0;
}

unsigned int ports_asked(void)
{
	const char *name = variant();

	if (strncmp(name, "ports", 5) == 0)
		return (unsigned int)parse_u64(name + 5);
	return strncmp(name, "low", 3) == 0 ? (unsigned int)parse_u64(name + 3) : 0;
}

struct pci_host *host(void)
{
	NEED("pcie", pci_host_find(&the_host, 0), "the device tree has no pci-host-ecam-generic");
	return &the_host;
}

struct pci_host *enumerated(void)
{
	struct pci_host *h = host();

	pci_enumerate(h);
	return h;
}

struct pci_host *placed(void)
{
	struct pci_host *h = enumerated();
	const char *lacking = "";

	if (!pci_place(h, &lacking)) {
		test_fail(__FILE__, __LINE__, "pci_place", "the %s is exhausted", lacking);
		test_leave();
	}
	return h;
}

static bool is_root_port(const struct pci_host *h, const struct pci_function *f)
{
	unsigned int cap = pci_cap(h, f->bdf, PCI_CAP_EXP);

	return f->parent < 0 && f->bridge && cap &&
	       EXP_TYPE(pci_rd16(h, f->bdf, cap + EXP_CAPABILITIES)) == EXP_TYPE_ROOT_PORT;
}

unsigned int count_ports(const struct pci_host *h)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < h->count; i++)
		n += is_root_port(h, &h->function[i]);
	return n;
}

struct pci_function *last_port(struct pci_host *h)
{
	struct pci_function *port = NULL;

	for (unsigned int i = 0; i < h->count; i++)
		if (is_root_port(h, &h->function[i]))
			port = &h->function[i];
	NEED("root-ports", port, "this machine has no PCIe root port");
	return port;
}

struct pci_function *last_endpoint(struct pci_host *h)
{
	int port = (int)(last_port(h) - h->function);

	for (unsigned int i = 0; i < h->count; i++) {
		struct pci_function *f = &h->function[i];

		if (f->parent == port && f->vendor == ASSAY_PCI_VENDOR &&
		    f->device == ASSAY_PCI_DEVICE_TEST)
			return f;
	}
	/* refvmm was asked for one: there it is a failure */
	if (port_present()) {
		test_fail(__FILE__, __LINE__, "last_endpoint(h)",
			  "got nothing behind the last port, want the test endpoint");
		test_leave();
	}
	test_skip("pci-test", "no PCIe test endpoint behind the last root port");
}

uint64_t bar_address(const struct pci_function *f, unsigned int bar)
{
	ASSERT_NE(f->bar[bar].cpu, 0);
	return f->bar[bar].cpu;
}
