/* SPDX-License-Identifier: Apache-2.0 */
/* Pointer authentication that KVM offers and does not give. */
#ifndef HOST_PAUTH_H
#define HOST_PAUTH_H

/*
 * Value of refvmm's --cpu for a guest that uses what its ID registers show, as Linux does: "host", or "host,pauth=off"
 * where a guest with pointer authentication finds its keys UNDEFINED. That fault is charged to `traps.pauth_*`, once, and
 * hides nothing else. KVM has it in protected mode alone (vcpu_set_pauth_traps, Linux 6.12), so only there it is looked for.
 */
const char *pauth_cpu(void);

#endif
