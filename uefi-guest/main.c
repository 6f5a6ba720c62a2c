/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UEFI application that says what the firmware under it offers, as lines `uefi-guest KEY=VALUE`. The
 * host test `firmware` hands it to the firmware as the kernel. Words of its command line:
 *
 *	count   adds one to the variable AssayCount, which outlives the machine, and says it
 *	reset   resets the machine while that count is 1
 *	connect has drivers take the devices, and says which network cards can be booted from
 *
 * It ends by switching the machine off.
 */
#include "efi.h"

#define GLOBAL                                                         \
	{                                                              \
		0x8be4df61, 0x93ca, 0x11d2,                            \
		{                                                      \
			0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c \
		}                                                      \
	}
#define OWN                                                            \
	{                                                              \
		0x5a1f7c3e, 0x0d52, 0x4b8e,                            \
		{                                                      \
			0x9b, 0x5d, 0x41, 0x53, 0x53, 0x41, 0x59, 0x01 \
		}                                                      \
	}

efi_status efi_entry(efi_handle image, struct efi_system *st);
void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void *memset(void *p, int c, size_t n)
{
	for (volatile uint8_t *q = p; n--; q++)
		*q = (uint8_t)c;
	return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
	volatile uint8_t *q = to;

	for (const uint8_t *p = from; n--;)
		*q++ = *p++;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *p = a, *q = b;

	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

static void print(struct efi_system *st, const char *s)
{
	efi_char wide[2] = {0, 0};

	for (; *s; s++) {
		wide[0] = (efi_char)(uint8_t)*s;
		st->console_out->output(st->console_out, wide);
	}
}

static void say(struct efi_system *st, const char *key, const char *value)
{
	print(st, "uefi-guest ");
	print(st, key);
	print(st, "=");
	print(st, value);
	print(st, "\r\n");
}

static void say_number(struct efi_system *st, const char *key, uint64_t n)
{
	char text[24], *p = text + sizeof(text) - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	say(st, key, p);
}

/* A variable of one byte: its value, or why there is none. */
static void say_flag(struct efi_system *st, const char *key, const efi_char *name)
{
	const struct efi_guid global = GLOBAL;
	uint64_t size = 1;
	uint8_t val = 0;
	efi_status ret = st->runtime->get_variable(name, &global, NULL, &size, &val);

	if (ret == EFI_NOT_FOUND)
		say(st, key, "absent");
	else if (ret)
		say(st, key, "unreadable");
	else
		say_number(st, key, val);
}

static void say_protocol(struct efi_system *st, const char *key, const struct efi_guid *protocol)
{
	void *interface;
	efi_status ret = st->boot->locate_protocol(protocol, NULL, &interface);

	say(st, key, ret == EFI_NOT_FOUND ? "absent" : ret ? "unreadable" : "present");
}

static int same(const struct efi_guid *a, const struct efi_guid *b)
{
	return a->a == b->a && a->b == b->b && a->c == b->c &&
	       !__builtin_memcmp(a->d, b->d, sizeof(a->d));
}

static void say_table(struct efi_system *st, const char *key, const struct efi_guid *vendor)
{
	const char *found = "absent";

	for (uint64_t i = 0; i < st->nr_tables; i++) {
		if (same(&st->table[i].vendor, vendor))
			found = "present";
	}
	say(st, key, found);
}

static void report(struct efi_system *st)
{
	const struct efi_guid mm = {
		0xc57ad6b7, 0x0515, 0x40a8, {0x9d, 0x21, 0x55, 0x16, 0x52, 0x85, 0x4e, 0x37}};
	const struct efi_guid mm2 = {
		0x378daedc, 0xf06b, 0x4446, {0x83, 0x14, 0x40, 0xab, 0x93, 0x3c, 0x87, 0xa3}};
	const struct efi_guid acpi = {
		0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
	const struct efi_guid smbios = {
		0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};
	const struct efi_guid dtb = {
		0xb1b621d5, 0xf19c, 0x41a5, {0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0}};

	say_flag(st, "secure-boot", u"SecureBoot");
	say_flag(st, "setup-mode", u"SetupMode");
	say_protocol(st, "mm-communication", &mm);
	say_protocol(st, "mm-communication2", &mm2);
	say_table(st, "acpi", &acpi);
	say_table(st, "smbios3", &smbios);
	say_table(st, "devicetree", &dtb);
}

/* The address of the card at the end of this handle's device path; else why there is none. */
static const char *card_of(struct efi_system *st, efi_handle handle)
{
	const struct efi_guid device_path = {
		0x09576e91, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
	static char mac[13];
	struct efi_path *p = NULL;

	if (st->boot->handle_protocol(handle, &device_path, (void **)&p) || !p)
		return "nowhere";
	mac[0] = '\0';
	while (p->type != EFI_PATH_END) {
		uint32_t length = p->length[0] | (uint32_t)p->length[1] << 8;

		if (p->type == EFI_PATH_MESSAGING && p->subtype == EFI_PATH_MAC) {
			for (uint32_t i = 0; i < 12; i++)
				mac[i] = "0123456789abcdef"[p->data[i / 2] >> (i % 2 ? 0 : 4) & 15];
		}
		p = (struct efi_path *)((uint8_t *)p + length);
	}
	return mac[0] ? mac : "local";
}

/* Has drivers take all they can, as before a choice of where to boot from; then, which cards can boot (UEFI 24.3). */
static void connect(struct efi_system *st)
{
	const struct efi_guid pxe = {
		0x03c4e603, 0xac28, 0x11d3, {0x9a, 0x2d, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
	efi_handle *handles;
	uint64_t n = 0;

	if (!st->boot->locate_handle_buffer(EFI_ALL_HANDLES, NULL, NULL, &n, &handles)) {
		for (uint64_t i = 0; i < n; i++)
			st->boot->connect_controller(handles[i], NULL, NULL, 1);
	}
	n = 0;
	if (st->boot->locate_handle_buffer(EFI_BY_PROTOCOL, &pxe, NULL, &n, &handles))
		n = 0;
	for (uint64_t i = 0; i < n; i++)
		say(st, "pxe", card_of(st, handles[i]));
	if (!n)
		say(st, "pxe", "absent");
}

/* Is this word among the options? */
static int asked(const struct efi_loaded_image *li, const char *word)
{
	uint32_t n = li->options_size / sizeof(efi_char);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = 0;

		if (i && li->options[i - 1] != ' ')
			continue;
		while (word[k] && i + k < n && li->options[i + k] == (efi_char)word[k])
			k++;
		if (!word[k] && (i + k == n || !li->options[i + k] || li->options[i + k] == ' '))
			return 1;
	}
	return 0;
}

static uint32_t count(struct efi_system *st)
{
	const struct efi_guid own = OWN;
	uint32_t attributes = EFI_NON_VOLATILE | EFI_BOOTSERVICE_ACCESS | EFI_RUNTIME_ACCESS, n = 0;
	uint64_t size = sizeof(n);
	efi_status ret = st->runtime->get_variable(u"AssayCount", &own, NULL, &size, &n);

	if (ret && ret != EFI_NOT_FOUND) {
		say(st, "count", "unreadable");
		return 0;
	}
	n++;
	ret = st->runtime->set_variable(u"AssayCount", &own, attributes, sizeof(n), &n);
	if (ret)
		say(st, "count", "not-written");
	else
		say_number(st, "count", n);
	return ret ? 0 : n;
}

efi_status efi_entry(efi_handle image, struct efi_system *st)
{
	const struct efi_guid loaded = {
		0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
	struct efi_loaded_image *li = NULL;
	efi_status ret = st->boot->handle_protocol(image, &loaded, (void **)&li);

	say(st, "state", "started");
	if (ret || !li) {
		say(st, "state", "no-options");
		return ret;
	}
	report(st);
	say(st, "loaded-from", card_of(st, li->device));
	if (asked(li, "connect"))
		connect(st);
	if (asked(li, "count") && count(st) == 1 && asked(li, "reset"))
		st->runtime->reset_system(EFI_RESET_COLD, 0, 0, NULL);
	say(st, "state", "done");
	st->runtime->reset_system(EFI_RESET_SHUTDOWN, 0, 0, NULL);
	return 0;
}
