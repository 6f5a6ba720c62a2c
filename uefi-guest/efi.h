/* SPDX-License-Identifier: Apache-2.0 */
/* What the probe uses of the UEFI Specification 2.10: chapters 4, 7, 8, 9 and 12. */
#ifndef UEFI_GUEST_EFI_H
#define UEFI_GUEST_EFI_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t efi_status;
typedef uint16_t efi_char;
typedef void *efi_handle;

#define EFI_ERROR(code)	       ((1ULL << 63) | (code))
#define EFI_NOT_FOUND	       EFI_ERROR(14)
#define EFI_NON_VOLATILE       1U
#define EFI_BOOTSERVICE_ACCESS 2U
#define EFI_RUNTIME_ACCESS     4U

enum efi_search { EFI_ALL_HANDLES, EFI_BY_NOTIFY, EFI_BY_PROTOCOL };
enum efi_reset { EFI_RESET_COLD, EFI_RESET_WARM, EFI_RESET_SHUTDOWN };

struct efi_guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

/* A node of a device path (UEFI 2.10, 10.2); `data` as its type says. */
struct efi_path {
	uint8_t type, subtype, length[2];
	uint8_t data[];
};
enum { EFI_PATH_MESSAGING = 3, EFI_PATH_END = 0x7f };
enum { EFI_PATH_MAC = 11 }; /* 10.3.4.11: the address, in 32 bytes */

struct efi_text_output {
	void *reset;
	efi_status (*output)(struct efi_text_output *self, const efi_char *text);
};

struct efi_header {
	uint64_t signature;
	uint32_t revision, size, crc, reserved;
};

struct efi_runtime {
	struct efi_header header;
	void *time[4];
	void *virtual_map[2];
	efi_status (*get_variable)(const efi_char *name, const struct efi_guid *vendor,
				   uint32_t *attributes, uint64_t *size, void *data);
	void *get_next_variable_name;
	efi_status (*set_variable)(const efi_char *name, const struct efi_guid *vendor,
				   uint32_t attributes, uint64_t size, const void *data);
	void *get_next_high_count;
	void (*reset_system)(enum efi_reset type, efi_status status, uint64_t size,
			     const void *data);
};

struct efi_boot {
	struct efi_header header;
	void *priority[2];
	void *memory[5];
	void *event[6];
	void *install[3];
	efi_status (*handle_protocol)(efi_handle handle, const struct efi_guid *protocol,
				      void **interface);
	void *reserved;
	void *notify_to_watchdog[12];
	efi_status (*connect_controller)(efi_handle controller, efi_handle *drivers,
					 struct efi_path *remaining, uint8_t recursive);
	void *disconnect_to_protocols[5];
	efi_status (*locate_handle_buffer)(enum efi_search type, const struct efi_guid *protocol,
					   void *key, uint64_t *count, efi_handle **handles);
	efi_status (*locate_protocol)(const struct efi_guid *protocol, void *registration,
				      void **interface);
};

struct efi_table {
	struct efi_guid vendor;
	void *table;
};

struct efi_system {
	struct efi_header header;
	const efi_char *firmware_vendor;
	uint32_t firmware_revision;
	efi_handle console_in_handle;
	void *console_in;
	efi_handle console_out_handle;
	struct efi_text_output *console_out;
	efi_handle error_handle;
	struct efi_text_output *error;
	struct efi_runtime *runtime;
	struct efi_boot *boot;
	uint64_t nr_tables;
	struct efi_table *table;
};

struct efi_loaded_image {
	uint32_t revision;
	efi_handle parent;
	struct efi_system *system;
	efi_handle device;
	void *path, *reserved;
	uint32_t options_size;
	const efi_char *options;
};

_Static_assert(offsetof(struct efi_system, console_out) == 64, "UEFI 4.3");
_Static_assert(offsetof(struct efi_system, table) == 112, "UEFI 4.3");
_Static_assert(offsetof(struct efi_runtime, get_variable) == 72, "UEFI 4.5");
_Static_assert(offsetof(struct efi_runtime, reset_system) == 104, "UEFI 4.5");
_Static_assert(offsetof(struct efi_boot, handle_protocol) == 152, "UEFI 4.4");
_Static_assert(offsetof(struct efi_boot, connect_controller) == 264, "UEFI 4.4");
_Static_assert(offsetof(struct efi_boot, locate_handle_buffer) == 312, "UEFI 4.4");
_Static_assert(offsetof(struct efi_loaded_image, options) == 56, "UEFI 9.1");

#endif
