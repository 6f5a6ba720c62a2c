/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network of one server, at the other end of a guest's card: it gives out one address by DHCP and one file by TFTP,
 * which is all that a boot by PXE asks for.
 */
#ifndef BOOTSERVER_H
#define BOOTSERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOTSERVER_FILE "assay.efi"

struct bootserver {
	/* set by who starts it */
	int cable;	  /* a stream socket, see lib/cable.h */
	const char *file; /* served as BOOTSERVER_FILE */
	size_t size;

	/* what the client did, to be read when bootserver_join() has returned */
	uint8_t mac[6];		   /* who asked for an address */
	char client[64];	   /* and called itself so: RFC 2132, 9.13 */
	unsigned int asked, taken; /* an address: DHCPDISCOVER, DHCPREQUEST of what was offered */
	unsigned int opened;	   /* requests to read the file */
	unsigned int whole;	   /* transfers whose last block was acknowledged */

	/* its own */
	pthread_t thread;
	uint8_t client_ip[4];
	uint16_t port, block,
		block_size; /* of the transfer: the client's port, the block that waits for its ACK */
};

void bootserver_start(struct bootserver *s);
/* Returns when the other end of the cable is closed. */
void bootserver_join(struct bootserver *s);

#endif
