/* SPDX-License-Identifier: Apache-2.0 */
/* The test port: abi/assay/port.h. */
#ifndef REFVMM_DEV_TEST_PORT_H
#define REFVMM_DEV_TEST_PORT_H

#include "core/dev.h"

/* What the port asks of the machine; env.port. Results are 0 or -errno, as the guest sees them. */
struct test_port_host {
	void (*line)(struct env *e, const char *text, size_t len);
	void (*exit)(struct env *e, unsigned status);
	int (*stat)(struct env *e, const char *name, uint64_t *value);
	/* Both concern the thread of the vCPU that is storing, once its store is done. */
	void (*pause)(struct env *e, uint64_t ms);
	int (*pin)(struct env *e, uint64_t cpu, uint64_t *online);
	void (*clocks)(struct env *e, uint64_t *monotonic_ns, uint64_t *raw_ns);
	void (*memory_facts)(struct env *e, uint64_t fact[4]);
	int (*memory_thp)(struct env *e, uint64_t *bytes);
};

extern const struct dev_ops test_port_ops;

#endif
