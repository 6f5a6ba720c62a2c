/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The far end of a guest's network card: Ethernet frames on a stream socket, each behind its length in 32 bits, big
 * endian, as QEMU's stream netdev and passt(1) have them. Portable.
 */
#ifndef HOST_CABLE_H
#define HOST_CABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CABLE_FRAME_MAX 65535U

/* Offsets in a frame: Ethernet II, ARP (RFC 826), IPv4 without options (RFC 791), UDP (RFC 768). */
enum { ETH_TO = 0, ETH_FROM = 6, ETH_TYPE = 12, ETH_END = 14 };
enum { ARP_OP = 20, ARP_SHA = 22, ARP_SPA = 28, ARP_THA = 32, ARP_TPA = 38, ARP_END = 42 };
enum {
	IP_HEAD = 14,
	IP_LEN = 16,
	IP_TTL = 22,
	IP_PROTO = 23,
	IP_SUM = 24,
	IP_SRC = 26,
	IP_DST = 30
};
enum { UDP_SRC = 34, UDP_DST = 36, UDP_LEN = 38, UDP_SUM = 40, UDP_DATA = 42 };
enum { ETH_TYPE_IP = 0x0800, ETH_TYPE_ARP = 0x0806, IP_PROTO_UDP = 17 };

/* Who stands at this end. */
struct cable_end {
	uint8_t mac[6], ip[4];
};

uint16_t get16be(const uint8_t *p);
void put16be(uint8_t *p, uint16_t v);

/* The next frame's length; 0 at the end of the stream, or of one that is none. */
size_t cable_read(int fd, uint8_t frame[CABLE_FRAME_MAX]);
bool cable_write(int fd, const uint8_t *frame, size_t len);
/* For this end, by its address or to all; from a frame that has a whole Ethernet header. */
bool cable_for(const struct cable_end *me, const uint8_t *frame);
/* Makes the answer of an ARP request for this end's IP address, the addresses of Ethernet included; false if it is none. */
bool cable_answer_arp(const struct cable_end *me, uint8_t *frame, size_t len);

#endif
