/* SPDX-License-Identifier: Apache-2.0 */
/* DHCP: RFC 2131, RFC 2132. TFTP: RFC 1350 with the options of RFC 2347 (OACK), 2348 (blksize), 2349 (tsize). */
#include "bootserver.h"
#include "cable.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct cable_end me = {{0x52, 0x55, 10, 0, 2, 2}, {10, 0, 2, 2}};
static const uint8_t offered_ip[4] = {10, 0, 2, 15};
static const uint8_t everyone[4] = {255, 255, 255, 255};

enum { PORT_DHCP = 67, PORT_DHCP_CLIENT = 68, PORT_TFTP = 69, PORT_TRANSFER = 3069 };

/* Offsets in a DHCP message (RFC 2131, 2), and the options that are used. */
enum {
	DHCP_HOPS = 3,
	DHCP_YIADDR = 16,
	DHCP_SIADDR = 20,
	DHCP_CHADDR = 28,
	DHCP_SNAME = 44,
	DHCP_FILE = 108,
	DHCP_MAGIC = 236,
	DHCP_OPTIONS = 240
};
enum {
	OPT_MASK = 1,
	OPT_LEASE = 51,
	OPT_TYPE = 53,
	OPT_SERVER = 54,
	OPT_CLASS = 60,
	OPT_END = 255
};
enum { DHCPDISCOVER = 1, DHCPOFFER = 2, DHCPREQUEST = 3, DHCPACK = 5 };

enum { TFTP_RRQ = 1, TFTP_DATA = 3, TFTP_ACK = 4, TFTP_ERROR = 5, TFTP_OACK = 6 };
enum { TFTP_NO_FILE = 1, BLOCK_DEFAULT = 512, BLOCK_MAX = 1428 };

static uint16_t ip_sum(const uint8_t *head)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 20; i += 2)
		sum += get16be(head + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The payload stands at UDP_DATA already. */
static void send_udp(const struct bootserver *s, uint8_t *f, const uint8_t *to, uint16_t from_port,
		     uint16_t to_port, size_t len)
{
	memcpy(f + ETH_TO, s->mac, 6);
	memcpy(f + ETH_FROM, me.mac, 6);
	put16be(f + ETH_TYPE, ETH_TYPE_IP);
	memset(f + IP_HEAD, 0, UDP_DATA - IP_HEAD);
	f[IP_HEAD] = 0x45;
	put16be(f + IP_LEN, (uint16_t)(UDP_DATA - IP_HEAD + len));
	f[IP_TTL] = 64;
	f[IP_PROTO] = IP_PROTO_UDP;
	memcpy(f + IP_SRC, me.ip, 4);
	memcpy(f + IP_DST, to, 4);
	put16be(f + IP_SUM, ip_sum(f + IP_HEAD));
	put16be(f + UDP_SRC, from_port);
	put16be(f + UDP_DST, to_port);
	put16be(f + UDP_LEN, (uint16_t)(UDP_DATA - UDP_SRC + len)); /* no sum: RFC 768 */
	(void)cable_write(s->cable, f, UDP_DATA + len); /* a closed cable ends it anyway */
}

/* The value of an option; NULL without it. */
static const uint8_t *option(const uint8_t *m, size_t len, uint8_t code, uint8_t *size)
{
	for (size_t at = DHCP_OPTIONS; at + 1 < len && m[at] != OPT_END;) {
		if (!m[at]) { /* a pad */
			at++;
			continue;
		}
		if (at + 2 + m[at + 1] > len)
			return NULL;
		if (m[at] == code) {
			*size = m[at + 1];
			return m + at + 2;
		}
		at += 2U + m[at + 1];
	}
	return NULL;
}

static uint8_t *put_option(uint8_t *at, uint8_t code, const void *value, uint8_t size)
{
	*at++ = code;
	*at++ = size;
	memcpy(at, value, size);
	return at + size;
}

/* Turned in its place into the answer: an address, where the file is, and how it is called. */
static void answer_dhcp(struct bootserver *s, uint8_t *f, size_t len)
{
	static const uint8_t mask[4] = {255, 255, 255, 0}, hour[4] = {0, 0, 14, 16};
	uint8_t *m = f + UDP_DATA, *at = m + DHCP_OPTIONS, size, type;
	const uint8_t *kind = option(m, len, OPT_TYPE, &size), *class;

	if (!kind || (*kind != DHCPDISCOVER && *kind != DHCPREQUEST))
		return;
	type = *kind == DHCPDISCOVER ? DHCPOFFER : DHCPACK;
	memcpy(s->mac, m + DHCP_CHADDR, sizeof(s->mac));
	class = option(m, len, OPT_CLASS, &size);
	if (class && !s->asked) /* one that fails comes back as somebody else, to boot by HTTP */
		snprintf(s->client, sizeof(s->client), "%.*s", size, (const char *)class);
	if (type == DHCPOFFER)
		s->asked++;
	else
		s->taken++;

	m[0] = 2; /* BOOTREPLY; xid, flags and chaddr are the request's */
	m[DHCP_HOPS] = 0;
	memcpy(m + DHCP_YIADDR, offered_ip, 4);
	memcpy(m + DHCP_SIADDR, me.ip, 4);
	memset(m + DHCP_SNAME, 0, DHCP_MAGIC - DHCP_SNAME);
	memcpy(m + DHCP_FILE, BOOTSERVER_FILE, sizeof(BOOTSERVER_FILE));
	at = put_option(at, OPT_TYPE, &type, 1);
	at = put_option(at, OPT_SERVER, me.ip, 4);
	at = put_option(at, OPT_LEASE, hour, 4);
	at = put_option(at, OPT_MASK, mask, 4);
	*at++ = OPT_END;
	send_udp(s, f, everyone, PORT_DHCP, PORT_DHCP_CLIENT, (size_t)(at - m));
}

static void send_block(const struct bootserver *s, uint8_t *f)
{
	size_t from = (size_t)(s->block - 1) * s->block_size, len = s->size - from;

	if (len > s->block_size)
		len = s->block_size;
	put16be(f + UDP_DATA, TFTP_DATA);
	put16be(f + UDP_DATA + 2, s->block);
	memcpy(f + UDP_DATA + 4, s->file + from, len);
	send_udp(s, f, s->client_ip, PORT_TRANSFER, s->port, 4 + len);
}

/* Behind the string; NULL where its NUL is missing. */
static const char *behind(const char *string, const char *end)
{
	const char *nul = string ? memchr(string, '\0', (size_t)(end - string)) : NULL;

	return nul ? nul + 1 : NULL;
}

/* The value of an option, which follows its name; -1 without it. */
static long tftp_option(const char *list, const char *end, const char *name)
{
	const char *value;

	while ((value = behind(list, end)) && behind(value, end)) {
		if (!strcasecmp(list, name))
			return strtol(value, NULL, 10);
		list = behind(value, end);
	}
	return -1;
}

static size_t put_tftp_option(char *m, size_t at, const char *name, size_t value)
{
	at += (size_t)sprintf(m + at, "%s", name) + 1;
	return at + (size_t)sprintf(m + at, "%zu", value) + 1;
}

/* A request to read: answered by what is accepted of its options, without any by the first block. */
static void open_file(struct bootserver *s, uint8_t *f, size_t len)
{
	char *m = (char *)f + UDP_DATA;
	const char *end = m + len, *name = m + 2, *mode = behind(name, end);
	const char *options = behind(mode, end);
	long tsize = tftp_option(options, end, "tsize");
	long block_size = tftp_option(options, end, "blksize");
	size_t at = 2;

	s->port = get16be(f + UDP_SRC);
	memcpy(s->client_ip, f + IP_SRC, 4);
	if (!options || strcmp(name, BOOTSERVER_FILE) != 0) {
		put16be(f + UDP_DATA, TFTP_ERROR);
		put16be(f + UDP_DATA + 2, TFTP_NO_FILE);
		memcpy(m + 4, "no such file", 13);
		send_udp(s, f, s->client_ip, PORT_TRANSFER, s->port, 4 + 13);
		return;
	}
	s->opened++;
	s->block = 0;
	s->block_size = BLOCK_DEFAULT;
	if (block_size >= 8)
		s->block_size = block_size < BLOCK_MAX ? (uint16_t)block_size : BLOCK_MAX;
	if (tsize < 0 && block_size < 8) {
		s->block = 1;
		send_block(s, f);
		return;
	}
	put16be(f + UDP_DATA, TFTP_OACK);
	if (tsize >= 0)
		at = put_tftp_option(m, at, "tsize", s->size);
	if (block_size >= 8)
		at = put_tftp_option(m, at, "blksize", s->block_size);
	send_udp(s, f, s->client_ip, PORT_TRANSFER, s->port, at);
}

/* Block 0 acknowledges the options. An older one is a second copy, and is not answered (RFC 1123, 4.2.3.1). */
static void next_block(struct bootserver *s, uint8_t *f)
{
	if (get16be(f + UDP_SRC) != s->port || get16be(f + UDP_DATA + 2) != s->block)
		return;
	if ((size_t)s->block * s->block_size > s->size) { /* the last one was short, or empty */
		s->whole++;
		s->port = 0;
		return;
	}
	s->block++;
	send_block(s, f);
}

static void answer_udp(struct bootserver *s, uint8_t *f, size_t len)
{
	size_t data = len - UDP_DATA;

	switch (get16be(f + UDP_DST)) {
	case PORT_DHCP:
		if (data > DHCP_OPTIONS)
			answer_dhcp(s, f, data);
		break;
	case PORT_TFTP:
		if (data > 2 && get16be(f + UDP_DATA) == TFTP_RRQ)
			open_file(s, f, data);
		break;
	case PORT_TRANSFER:
		if (data >= 4 && get16be(f + UDP_DATA) == TFTP_ACK)
			next_block(s, f);
		break;
	}
}

static void *serve(void *arg)
{
	static uint8_t f[CABLE_FRAME_MAX];
	struct bootserver *s = arg;
	size_t len;

	while ((len = cable_read(s->cable, f))) {
		if (len <= ETH_END || !cable_for(&me, f))
			continue;
		if (len >= UDP_DATA && get16be(f + ETH_TYPE) == ETH_TYPE_IP && f[IP_HEAD] == 0x45 &&
		    f[IP_PROTO] == IP_PROTO_UDP && get16be(f + UDP_LEN) >= UDP_DATA - UDP_SRC &&
		    UDP_SRC + (size_t)get16be(f + UDP_LEN) <= len)
			answer_udp(s, f, UDP_SRC + (size_t)get16be(f + UDP_LEN));
		else if (cable_answer_arp(&me, f, len) && !cable_write(s->cable, f, len))
			break;
	}
	return NULL;
}

void bootserver_start(struct bootserver *s)
{
	int err = pthread_create(&s->thread, NULL, serve, s);

	if (err)
		test_error("pthread_create: %s", strerrorname_np(err));
}

void bootserver_join(struct bootserver *s)
{
	pthread_join(s->thread, NULL);
}
