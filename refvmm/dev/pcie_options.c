/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the PCIe host: --root-ports N and --device pci-test[,key=value]... */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/parse.h"
#include "dev/pcie_host.h"
#include "refuse.h"

#define PORTS_MAX 31U /* so that no later sum overflows; the budget knows the real limits */

static int parse_root_ports(void *conf, const char *arg)
{
	struct pcie_conf *pc = conf;
	uint64_t n;

	if (parse_u64(arg, &n))
		return err_usage("--root-ports %.40s: want a number from 0 to %u", arg, PORTS_MAX);
	if (n > PORTS_MAX)
		return refuse_limit("pcie-slots", "--root-ports %.40s", arg);
	pc->root_ports = (unsigned)n;
	return 0;
}

/* A BAR's size register is 32 or 64 bits wide; what a window holds is the budget's business. */
static int parse_bar(const char *key, const char *val, uint64_t max, uint64_t *out)
{
	uint64_t size;

	if (parse_size(val, &size))
		return err_usage("--device pci-test,%s=%.40s: not a size such as 64K or 1M", key,
				 val);
	if (size < PCI_TEST_BAR_MIN || size & (size - 1))
		return err_usage("--device pci-test,%s=%.40s: a BAR is a power of two, at least 4K",
				 key, val);
	if (size > max)
		return refuse_limit(max >> 32 ? "pcie-mmio64" : "pcie-mmio32",
				    "--device pci-test,%s=%.40s", key, val);
	*out = size;
	return 0;
}

static int parse_port(const char *val, int *port)
{
	uint64_t n;

	if (strcmp(val, "none") == 0) {
		*port = PCIE_PORT_NONE;
		return 0;
	}
	if (parse_u64(val, &n) || n >= PORTS_MAX)
		return err_usage("--device pci-test,port=%.40s: neither none nor the number of a "
				 "root port, from 0",
				 val);
	*port = (int)n;
	return 0;
}

static int parse_property(struct pcie_endpoint_conf *e, const char *key, const char *val)
{
	static const char *const offered[] = {"port=", "bar32=", "bar64=", NULL};
	char name[64];

	if (strcmp(key, "port") == 0)
		return parse_port(val, &e->port);
	if (strcmp(key, "bar32") == 0)
		return parse_bar(key, val, 1ULL << 31, &e->test.bar32);
	if (strcmp(key, "bar64") == 0)
		return parse_bar(key, val, 1ULL << 62, &e->test.bar64);
	snprintf(name, sizeof(name), "%.60s=", key);
	return refuse_check(REFUSE_OPTION, name, offered);
}

struct pcie_endpoint_conf *pcie_conf_add(struct pcie_conf *c)
{
	struct pcie_endpoint_conf *e = &c->endpoint[c->nr_endpoints];

	if (c->nr_endpoints == PCIE_ENDPOINTS_MAX) {
		refuse_limit("pcie-slots", "a machine with more than %u endpoints",
			     PCIE_ENDPOINTS_MAX);
		return NULL;
	}
	c->nr_endpoints++;
	*e = (struct pcie_endpoint_conf){.port = PCIE_PORT_ANY};
	return e;
}

static int parse_pci_test(void *conf, const char *arg)
{
	struct pcie_conf *pc = conf;
	struct pcie_endpoint_conf *e = pcie_conf_add(pc);
	char key[64];
	const char *val;
	int more;

	if (!e)
		return -ERR_REFUSED;
	e->option = "--device pci-test";
	e->test = (struct pci_test_conf){.index = pc->nr_endpoints - 1,
					 .bar32 = PCI_TEST_BAR32_DEFAULT,
					 .bar64 = PCI_TEST_BAR64_DEFAULT};
	while ((more = parse_word(&arg, key, sizeof(key), &val)) > 0) {
		int ret = val ? parse_property(e, key, val)
			      : err_usage("--device pci-test,%.60s: not key=value", key);

		if (ret)
			return ret;
	}
	if (more < 0)
		return err_usage("--device pci-test,%.40s: an empty or too long word", arg);
	e->bar32 = e->test.bar32;
	e->bar64 = e->test.bar64;
	e->msix = PCI_TEST_MSIX_BAR_SIZE;
	return 0;
}

const struct dev_option pcie_options[] = {
	{"--root-ports", "N", "PCIe root ports on bus 0 (default 0)", parse_root_ports},
	{"--device pci-test", "[port=K|none][,bar32=SIZE][,bar64=SIZE]",
	 "a PCIe test endpoint (default: behind a root port, the last one behind the last)",
	 parse_pci_test},
	{NULL, NULL, NULL, NULL},
};
