/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt messages that come again and again: the few that a VM's devices send for each queue. One that was sent some
 * times gets an irqfd, and sending it is from then on a store to an eventfd, which any thread may do. A table with one
 * place for each hash remembers them; whoever comes to a taken place turns the other out.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kvm/vm.h"

#define OFTEN 8U /* to change the table of routes, KVM waits for all who read it */

static struct vm_message *place(struct vm *vm, const struct vm_message *k)
{
	uint32_t key = k->data ^ k->devid << 8 ^ (uint32_t)(k->addr >> 6);

	return &vm->message[key * 0x9e3779b1U >> 26];
}
_Static_assert(VM_MESSAGES == 1U << (32 - 26), "a place for each hash");

static bool same(const struct vm_message *a, const struct vm_message *b)
{
	return a->addr == b->addr && a->data == b->data && a->devid == b->devid && a->spi == b->spi;
}

static int assign(const struct vm *vm, const struct vm_message *e, uint32_t flags)
{
	struct kvm_irqfd i = {
		.fd = (uint32_t)e->fd, .gsi = (uint32_t)(e - vm->message), .flags = flags};

	return kvm_ioctl(vm->fd, KVM_IRQFD, &i);
}

static void release(const struct vm *vm, struct vm_message *e)
{
	if (e->fd > 0) {
		assign(vm, e, KVM_IRQFD_FLAG_DEASSIGN);
		close(e->fd);
	}
	*e = (struct vm_message){0};
}

/* api.rst, KVM_SET_GSI_ROUTING: an SPI is a pin of the irqchip, counted from 0. */
static struct kvm_irq_routing_entry route(const struct vm *vm, const struct vm_message *e)
{
	struct kvm_irq_routing_entry r = {.gsi = (uint32_t)(e - vm->message)};

	if (e->spi) {
		r.type = KVM_IRQ_ROUTING_IRQCHIP;
		r.u.irqchip.pin = e->data;
		return r;
	}
	r.type = KVM_IRQ_ROUTING_MSI;
	r.flags = KVM_MSI_VALID_DEVID;
	r.u.msi.address_lo = (uint32_t)e->addr;
	r.u.msi.address_hi = (uint32_t)(e->addr >> 32);
	r.u.msi.data = e->data;
	r.u.msi.devid = e->devid;
	return r;
}

/* The table is replaced as a whole. */
static int set_routes(const struct vm *vm)
{
	struct kvm_irq_routing *r =
		calloc(1, sizeof(*r) + VM_MESSAGES * sizeof(struct kvm_irq_routing_entry));
	int ret;

	if (!r)
		return -ENOMEM;
	for (unsigned i = 0; i < VM_MESSAGES; i++) {
		if (vm->message[i].fd > 0)
			r->entries[r->nr++] = route(vm, &vm->message[i]);
	}
	ret = kvm_ioctl(vm->fd, KVM_SET_GSI_ROUTING, r);
	free(r);
	return ret;
}

/* Where it cannot be had the message goes the long way for good. */
static void promote(struct vm *vm, struct vm_message *e)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	e->fd = fd > 0 ? fd : -1;
	if (fd <= 0 || (!set_routes(vm) && !assign(vm, e, 0)))
		return;
	close(fd);
	e->fd = -1;
}

bool vm_message_known(struct vm *vm, const struct vm_message *k)
{
	struct vm_message *e = place(vm, k);

	if (!same(e, k)) {
		release(vm, e);
		*e = *k;
	}
	if (!e->fd && ++e->sent > OFTEN)
		promote(vm, e);
	return e->fd > 0 && !eventfd_write(e->fd, 1);
}

void vm_messages_forget(struct vm *vm)
{
	for (unsigned i = 0; i < VM_MESSAGES; i++) {
		if (vm->message[i].fd > 0)
			close(vm->message[i].fd);
		vm->message[i] = (struct vm_message){0};
	}
}
