/* SPDX-License-Identifier: Apache-2.0 */
#include "core/gpa.h"

#include <errno.h>
#include <string.h>

int gmem_add(struct gmem *m, uint64_t gpa, uint64_t size, void *host)
{
	uint64_t end;

	if (!size || __builtin_add_overflow(gpa, size, &end))
		return -EINVAL;
	for (unsigned i = 0; i < m->nr; i++) {
		const struct gmem_slot *s = &m->slot[i];

		if (gpa < s->gpa + s->size && s->gpa < end)
			return -EEXIST;
	}
	if (m->nr == GMEM_SLOTS_MAX)
		return -ENOSPC;
	m->slot[m->nr++] = (struct gmem_slot){.gpa = gpa, .size = size, .host = host};
	return 0;
}

void *gpa_ptr(const struct gmem *m, uint64_t gpa, uint64_t len)
{
	if (!len)
		return NULL;
	for (unsigned i = 0; i < m->nr; i++) {
		const struct gmem_slot *s = &m->slot[i];

		if (gpa >= s->gpa && gpa - s->gpa < s->size && len <= s->size - (gpa - s->gpa))
			return s->host + (gpa - s->gpa);
	}
	return NULL;
}

int gmem_read(const struct gmem *m, uint64_t gpa, void *buf, size_t len)
{
	const void *p = gpa_ptr(m, gpa, len);

	if (!len)
		return 0;
	if (!p)
		return -EFAULT;
	memcpy(buf, p, len);
	return 0;
}

int gmem_write(const struct gmem *m, uint64_t gpa, const void *buf, size_t len)
{
	void *p = gpa_ptr(m, gpa, len);

	if (!len)
		return 0;
	if (!p)
		return -EFAULT;
	memcpy(p, buf, len);
	return 0;
}

int gmem_zero(const struct gmem *m, uint64_t gpa, size_t len)
{
	void *p = gpa_ptr(m, gpa, len);

	if (!len)
		return 0;
	if (!p)
		return -EFAULT;
	memset(p, 0, len);
	return 0;
}
