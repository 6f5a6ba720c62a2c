/* SPDX-License-Identifier: Apache-2.0 */
#include "kvmlog.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * "VHE mode initialized successfully" and its kin: "Hyp mode" is nVHE, newer kernels say "Hyp nVHE mode" or
 * "hVHE mode", "Protected nVHE mode", "Protected hVHE mode", and "VHE+NV2 mode" where nesting is on.
 */
static void mode_line(struct kvm_log *log, const char *text)
{
	const char *mode = "nvhe";

	if (strstr(text, "Protected"))
		mode = "protected";
	else if (strstr(text, "VHE+NV"))
		mode = "nested";
	else if (strstr(text, "hVHE"))
		mode = "hvhe";
	else if (strstr(text, "nVHE") || strstr(text, "Hyp mode"))
		mode = "nvhe";
	else if (strstr(text, "VHE mode"))
		mode = "vhe";
	snprintf(log->mode, sizeof(log->mode), "%s", mode);
}

void kvm_log_line(struct kvm_log *log, const char *text)
{
	const char *p = text;

	/* "kvm [1]: TEXT"; before 4.x "kvm [1]: " was the same */
	if (strncmp(p, "kvm [", 5) != 0)
		return;
	p = strstr(p, "]: ");
	if (!p)
		return;
	p += 3;
	log->seen = true;
	if (strstr(p, "mode initialized successfully"))
		mode_line(log, p);
	else if (!strncmp(p, "GICv4", 5) && strstr(p, "support "))
		snprintf(log->gicv4, sizeof(log->gicv4), "%.15s", strstr(p, "support ") + 8);
	else if (!strncmp(p, "vgic-v2@", 8))
		snprintf(log->gicv2_at, sizeof(log->gicv2_at), "0x%.20s", p + 8);
	else if (!strncmp(p, "vgic interrupt ", 15))
		snprintf(log->maint_irq, sizeof(log->maint_irq), "%.15s", p + 15);
	else if (strstr(p, "GIC system register CPU interface enabled"))
		log->gic_sysreg = true;
	else if (!strncmp(p, "IPA Size Limit: ", 16))
		log->ipa_bits = (unsigned int)strtoul(p + 16, NULL, 10);
}
