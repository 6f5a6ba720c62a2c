/* SPDX-License-Identifier: Apache-2.0 */
#include "cable.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

uint16_t get16be(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

void put16be(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static bool read_all(int fd, void *buf, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, (uint8_t *)buf + at, len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

size_t cable_read(int fd, uint8_t frame[CABLE_FRAME_MAX])
{
	uint32_t len;

	if (!read_all(fd, &len, sizeof(len)))
		return 0;
	len = ntohl(len);
	if (len > CABLE_FRAME_MAX || !read_all(fd, frame, len))
		return 0;
	return len;
}

bool cable_write(int fd, const uint8_t *frame, size_t len)
{
	uint32_t head = htonl((uint32_t)len);
	struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)frame, len}};

	return writev(fd, iov, 2) == (ssize_t)(sizeof(head) + len);
}

bool cable_for(const struct cable_end *me, const uint8_t *frame)
{
	return !memcmp(frame + ETH_TO, me->mac, 6) || (frame[ETH_TO] & 1);
}

bool cable_answer_arp(const struct cable_end *me, uint8_t *frame, size_t len)
{
	if (len < ARP_END || get16be(frame + ETH_TYPE) != ETH_TYPE_ARP ||
	    get16be(frame + ARP_OP) != 1 || memcmp(frame + ARP_TPA, me->ip, 4) != 0)
		return false;
	frame[ARP_OP + 1] = 2;
	memcpy(frame + ARP_THA, frame + ARP_SHA, 6);
	memcpy(frame + ARP_TPA, frame + ARP_SPA, 4);
	memcpy(frame + ARP_SHA, me->mac, 6);
	memcpy(frame + ARP_SPA, me->ip, 4);
	memcpy(frame + ETH_TO, frame + ETH_FROM, 6);
	memcpy(frame + ETH_FROM, me->mac, 6);
	return true;
}
