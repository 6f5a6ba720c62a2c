/* SPDX-License-Identifier: Apache-2.0 */
/* refvmm built for a machine that is no ARM64 host: it prints and describes. */
#include <sys/utsname.h>

#include "core/err.h"
#include "host.h"

int host_run(const struct machine_conf *c, unsigned *status)
{
	struct utsname u;

	(void)c;
	(void)status;
	return err_lacks("kvm",
			 "this refvmm is built for %s and runs no ARM64 machine; it has --dump-dtb "
			 "and what prints",
			 uname(&u) ? "another architecture" : u.machine);
}

int host_resolve(struct machine_conf *c)
{
	describe_assume(c);
	return 0;
}

void host_inherited(struct machine_conf *c)
{
	c->inherited = 0;
}
