/* SPDX-License-Identifier: Apache-2.0 */
#include "core/err.h"

#include <assay/exit.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One write a line, so that lines of several threads do not mix. */
static void log_line(const char *prefix, const char *suffix, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p; p++) {
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
	fprintf(stderr, "%s%s%s\n", prefix, text, suffix);
	fflush(stderr);
}

#define LOG(prefix, suffix, fmt)                   \
	do {                                       \
		va_list ap;                        \
		va_start(ap, fmt);                 \
		log_line(prefix, suffix, fmt, ap); \
		va_end(ap);                        \
	} while (0)

int err_usage(const char *fmt, ...)
{
	LOG("refvmm: ", "", fmt);
	return -ERR_USAGE;
}

int err_refused(const char *fmt, ...)
{
	LOG("refvmm: ", "", fmt);
	return -ERR_REFUSED;
}

int err_guest(const char *fmt, ...)
{
	LOG("refvmm: guest: ", "", fmt);
	return -ERR_GUEST;
}

int err_limit(const char *fmt, ...)
{
	LOG("refvmm: ", "", fmt);
	return -ERR_LIMIT;
}

int err_lacks(const char *cap, const char *fmt, ...)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "needs=%s: ", cap);
	LOG(prefix, "", fmt);
	return -ERR_LACKS;
}

int err_host(int err, const char *fmt, ...)
{
	char suffix[96];

	snprintf(suffix, sizeof(suffix), ": %s (%s)", strerrorname_np(err), strerror(err));
	LOG("refvmm: ", suffix, fmt);
	return -err;
}

void err_note(const char *fmt, ...)
{
	LOG("refvmm: ", "", fmt);
}

int err_exit_status(int err)
{
	switch (-err) {
	case 0:
		return ASSAY_EXIT_OK;
	case ERR_USAGE:
		return ASSAY_EXIT_USAGE;
	case ERR_REFUSED:
		return ASSAY_EXIT_REFUSED;
	case ERR_LACKS:
		return ASSAY_EXIT_LACKS;
	case ERR_LIMIT:
		return ASSAY_EXIT_LIMIT;
	case ERR_GUEST:
		return ASSAY_EXIT_GUEST;
	default:
		return ASSAY_EXIT_HOST;
	}
}
