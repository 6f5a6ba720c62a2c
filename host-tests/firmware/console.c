/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest that the firmware started said. */
#include "firmware.h"
#include "test.h"
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>

const char *firmware_said(const struct proc *run, const char *who, const char *key)
{
	static char buf[128];
	char want[96];
	const char *p = run->out, *last = NULL;

	snprintf(want, sizeof(want), "%s %s=", who, key);
	while ((p = strstr(p, want)))
		last = p += strlen(want);
	buf[0] = '\0';
	if (last)
		snprintf(buf, sizeof(buf), "%.*s", (int)strcspn(last, "\r\n"), last);
	return buf;
}

bool firmware_ended(struct proc *run, const char *who, const char *state)
{
	size_t from = run->out_len > 500 ? run->out_len - 500 : 0;

	if (EXPECT_STREQ(firmware_said(run, who, "state"), state) &&
	    EXPECT_EQ(run->status, ASSAY_EXIT_OK))
		return true;
	for (char *line = strtok(run->out + from, "\r\n"); line; line = strtok(NULL, "\r\n"))
		NOTE("console: %s", line);
	NOTE("refvmm: exit status %d, %.*s", run->status, (int)strcspn(run->err, "\n"), run->err);
	return false;
}
