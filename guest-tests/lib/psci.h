/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI (DEN 0022) and SMCCC (DEN 0028) by the conduit that the device tree names. */
#ifndef LIB_PSCI_H
#define LIB_PSCI_H

#include "types.h"

struct smccc_args {
	uint64_t x[8]; /* x0: the function id */
};

struct smccc_result {
	uint64_t x[4];
};

/* by HVC or SMC as the device tree says; all zero with x0 = NOT_SUPPORTED where it names no conduit */
struct smccc_result smccc(const struct smccc_args *args);
/* by one conduit */
void smccc_call_hvc(const struct smccc_args *args, struct smccc_result *result);
void smccc_call_smc(const struct smccc_args *args, struct smccc_result *result);

#define PSCI_VERSION	     0x84000000U
#define PSCI_CPU_SUSPEND64   0xc4000001U
#define PSCI_CPU_OFF	     0x84000002U
#define PSCI_CPU_ON64	     0xc4000003U
#define PSCI_AFFINITY_INFO64 0xc4000004U
#define PSCI_SYSTEM_OFF	     0x84000008U
#define PSCI_SYSTEM_RESET    0x84000009U
#define PSCI_FEATURES	     0x8400000aU
#define SMCCC_VERSION	     0x80000000U

/* return codes (DEN 0022, 5.2.2) */
#define PSCI_SUCCESS		0
#define PSCI_NOT_SUPPORTED	(-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED		(-3)
#define PSCI_ALREADY_ON		(-4)
#define PSCI_ON_PENDING		(-5)
#define PSCI_INTERNAL_FAILURE	(-6)
#define PSCI_NOT_PRESENT	(-7)
#define PSCI_DISABLED		(-8)
#define PSCI_INVALID_ADDRESS	(-9)

int psci_call(uint32_t fn, uint64_t a, uint64_t b, uint64_t c);
int psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context);
/* 0 on, 1 off, 2 on pending */
int psci_affinity_info(uint64_t mpidr);
void psci_cpu_off(void);
void psci_system_off(void);

#endif
