/* SPDX-License-Identifier: Apache-2.0 */
/* What KVM said about itself when the host booted (arch/arm64/kvm/arm.c, mmu.c, vgic). Portable. */
#ifndef HOST_KVMLOG_H
#define HOST_KVMLOG_H

#include <stdbool.h>

struct kvm_log {
	char mode[16];	   /* vhe, nvhe, hvhe, protected, nested; "": not said */
	char gicv4[16];	   /* enabled, disabled; "": not said */
	char gicv2_at[24]; /* address of the GICV frame */
	char maint_irq[16];
	unsigned int ipa_bits;
	bool gic_sysreg; /* system register CPU interface */
	bool seen;	 /* any line of KVM's */
};

/* Takes in one line of the log. */
void kvm_log_line(struct kvm_log *log, const char *text);

#endif
