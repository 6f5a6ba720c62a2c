/* SPDX-License-Identifier: Apache-2.0 */
/* A VM, its memory slots, its interrupt lines and messages. */
#ifndef REFVMM_KVM_VM_H
#define REFVMM_KVM_VM_H

#include "kvm/kvm.h"

#define VM_MESSAGES 64U

/* A write of `data` to `addr` by the requester `devid`; or, with `spi`, an edge of SPI `data` (0-based). */
struct vm_message {
	uint64_t addr;
	uint32_t data, devid;
	bool spi;
	/* message.c's: how often it was sent, and its irqfd; 0: none yet, -1: never */
	unsigned sent;
	int fd;
};

struct vm {
	const struct kvm *kvm;
	int fd;
	int stats_fd; /* -1: not opened, or the host has none */
	unsigned ipa_bits;
	unsigned slots; /* used so far */
	struct vm_message message[VM_MESSAGES];
};

/* 0 or a negative error, logged; the host may lack `ipa_bits`. */
int vm_create(struct vm *vm, const struct kvm *k, unsigned ipa_bits);
void vm_destroy(struct vm *vm);

/* memslot.c */
int vm_add_memory(struct vm *vm, uint64_t gpa, uint64_t size, void *host, bool readonly);
/* Memory that only the guest's reads reach; the n-th of VM_ROMS. Size 0 takes it away. */
#define VM_ROM_SLOT 256U
#define VM_ROMS	    4U
int vm_set_rom(const struct vm *vm, unsigned n, uint64_t gpa, uint64_t size, void *host);

/* msi.c: all return what the ioctl does, unlogged. */
int vm_irq_line(const struct vm *vm, unsigned spi, bool level);
int vm_signal_msi(const struct vm *vm, uint64_t addr, uint32_t data, uint32_t devid);
/* Stores of `len` bytes at `gpa`, whatever the value, write to the eventfd instead of an exit. */
int vm_ioeventfd(const struct vm *vm, uint64_t gpa, unsigned len, int fd, bool on);

/*
 * message.c: sends a message that is sent often by its irqfd; false: it has none yet, and goes the long way. Nobody
 * learns whether it was taken. And: the VM is no more.
 */
bool vm_message_known(struct vm *vm, const struct vm_message *k);
void vm_messages_forget(struct vm *vm);

/*
 * stats.c: opens the statistics of a VM or vCPU unless *stats_fd is open; it stays -1 where the host has none
 * (before Linux 5.14). 0 or a negative errno. Then adds the one called `name` to *sum; -ENOENT: no such name.
 */
int stats_open(int fd, int *stats_fd);
int stats_add(int stats_fd, const char *name, uint64_t *sum);

#endif
