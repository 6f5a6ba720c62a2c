/* SPDX-License-Identifier: Apache-2.0 */
/* An address by DHCP (RFC 2131): DISCOVER, OFFER, REQUEST, ACK, by a packet socket, for there is no address yet. */
#include "guest.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIES  20
#define TRY_MS 500
#define XID    0x0a55a700U

enum { DISCOVER = 1, OFFER, REQUEST, ACK = 5 };
enum { OPT_MASK = 1, OPT_ADDRESS = 50, OPT_TYPE = 53, OPT_SERVER = 54, OPT_END = 255 };

/* RFC 2131, 2; the options begin with the magic number of RFC 2132, 2. */
struct dhcp {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16], sname[64], file[128];
	uint8_t option[312];
};

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	struct dhcp d;
};

static const uint8_t magic[4] = {99, 130, 83, 99};

static uint16_t ip_sum(const struct iphdr *ip)
{
	const uint8_t *p = (const uint8_t *)ip;
	uint32_t sum = 0;

	for (unsigned i = 0; i < sizeof(*ip); i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void request(int fd, int index, const uint8_t mac[6], uint8_t type, uint32_t address,
		    uint32_t server)
{
	static struct packet p;
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = index,
				 .sll_halen = 6,
				 .sll_addr = {255, 255, 255, 255, 255, 255}};
	uint8_t *o = p.d.option;

	memset(&p, 0, sizeof(p));
	p.ip = (struct iphdr){.version = 4,
			      .ihl = 5,
			      .tot_len = htons(sizeof(p)),
			      .ttl = 64,
			      .protocol = IPPROTO_UDP,
			      .daddr = INADDR_BROADCAST};
	p.ip.check = ip_sum(&p.ip);
	p.udp.source = htons(68);
	p.udp.dest = htons(67);
	p.udp.len = htons(sizeof(p) - sizeof(p.ip));
	p.d = (struct dhcp){
		.op = 1, .htype = 1, .hlen = 6, .xid = htonl(XID), .flags = htons(0x8000)};
	memcpy(p.d.chaddr, mac, 6);
	memcpy(o, magic, 4);
	o += 4;
	*o++ = OPT_TYPE;
	*o++ = 1;
	*o++ = type;
	if (type == REQUEST) {
		*o++ = OPT_ADDRESS;
		*o++ = 4;
		memcpy(o, &address, 4);
		o += 4;
		*o++ = OPT_SERVER;
		*o++ = 4;
		memcpy(o, &server, 4);
		o += 4;
	}
	*o = OPT_END;
	sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to));
}

/* The value of an option of at least `len` bytes; NULL: it is not there. */
static const uint8_t *option(const struct packet *p, size_t got, uint8_t want, unsigned len)
{
	size_t end = got - offsetof(struct packet, d.option), at = 4;

	while (at + 1 < end && p->d.option[at] != OPT_END) {
		const uint8_t *o = &p->d.option[at];

		if (*o == want && o[1] >= len && at + 2 + o[1] <= end)
			return o + 2;
		at += *o ? 2U + o[1] : 1U;
	}
	return NULL;
}

/* Waits for an answer of this type to us; false: none came in time. */
static bool answer(int fd, uint8_t type, struct packet *p, size_t *len)
{
	for (;;) {
		struct pollfd w = {.fd = fd, .events = POLLIN};
		const uint8_t *t;
		ssize_t n;

		if (poll(&w, 1, TRY_MS) <= 0)
			return false;
		n = recv(fd, p, sizeof(*p), 0);
		if (n <= (ssize_t)offsetof(struct packet, d.option) + 4 || p->ip.ihl != 5 ||
		    p->ip.protocol != IPPROTO_UDP || p->udp.dest != htons(68) ||
		    p->d.xid != htonl(XID) || memcmp(p->d.option, magic, 4) != 0)
			continue;
		t = option(p, (size_t)n, OPT_TYPE, 1);
		if (t && *t == type) {
			*len = (size_t)n;
			return true;
		}
	}
}

bool dhcp(const char *name, const uint8_t mac[6], uint32_t *address, uint32_t *mask)
{
	int index = (int)if_nametoindex(name), i;
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
	static struct packet p;
	uint32_t server = 0;
	bool have = false;
	size_t len = 0;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return false;
	for (i = 0; i < TRIES && !have; i++) {
		const uint8_t *o;

		request(fd, index, mac, DISCOVER, 0, 0);
		if (!answer(fd, OFFER, &p, &len))
			continue;
		*address = p.d.yiaddr;
		o = option(&p, len, OPT_SERVER, 4);
		if (o)
			memcpy(&server, o, 4);
		request(fd, index, mac, REQUEST, *address, server);
		have = answer(fd, ACK, &p, &len) && p.d.yiaddr == *address;
		o = option(&p, len, OPT_MASK, 4);
		if (o)
			memcpy(mask, o, 4);
	}
	close(fd);
	return have;
}
