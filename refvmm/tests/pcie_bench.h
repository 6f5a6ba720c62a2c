/* SPDX-License-Identifier: Apache-2.0 */
/* A PCIe host on a fake board, and a guest's way of reaching its functions. */
#ifndef REFVMM_TESTS_PCIE_BENCH_H
#define REFVMM_TESTS_PCIE_BENCH_H

#include <assay/board.h>

#include "dev/pcie.h"
#include "dev/pcie_host.h"
#include "tests/fake_env.h"

struct pcie_bench {
	struct fake_env *fe;
	struct dev *dev;
	struct pcie_conf conf;
	bool highmem;
	int err; /* what init said */
};

/* Options are words as on the command line: "--root-ports", "2", "--device pci-test", "port=0", NULL. */
struct pcie_bench *pcie_bench(bool highmem, const char *const *words);
void pcie_bench_free(struct pcie_bench *b);
#define BENCH(highmem, ...) \
	pcie_bench(highmem, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* Configuration space through ECAM. */
uint32_t cfg_read(struct pcie_bench *b, unsigned bus, unsigned slot, unsigned off, unsigned len);
void cfg_write(struct pcie_bench *b, unsigned bus, unsigned slot, unsigned off, unsigned len,
	       uint32_t val);
/* Offset of a capability, 0: none. */
unsigned cfg_cap(struct pcie_bench *b, unsigned bus, unsigned slot, uint8_t id);

/* Opens the port in slot `port_slot` of the root bus onto bus `bus` and both windows. */
void bench_open_port(struct pcie_bench *b, unsigned port_slot, unsigned bus, uint64_t mem,
		     uint64_t mem_last, uint64_t pref, uint64_t pref_last);
/* Places the BARs of the endpoint at (bus, slot) and turns on Memory Space and Bus Master. */
void bench_place(struct pcie_bench *b, unsigned bus, unsigned slot, uint32_t bar0, uint64_t bar2,
		 uint32_t bar4);

#endif
