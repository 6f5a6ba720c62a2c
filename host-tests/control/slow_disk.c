/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk whose file does not answer, and a flash's: somebody else writes to it, with the kernel's lock of the file in hand, from
 * memory that comes when this program says so (userfaultfd(2)). Nothing but the disk's own requests may wait for it.
 */
#include "payload.h"
#include "scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DISK_SIZE (1 << 20)
#define PAYLOAD	  "test=virtio.cpu_goes_on_while_a_disk_works@mmio time=100000"

struct stuck_file {
	int fd, uffd;
	void *page; /* nobody can read it before release() */
	size_t size;
	pthread_t thread;
	char word[96];
};

static void *write_from_nowhere(void *arg)
{
	struct stuck_file *f = arg;

	if (pwrite(f->fd, f->page, 512, DISK_SIZE / 2) != 512)
		NOTE("the file's other user: %s", strerrorname_np(errno));
	return NULL;
}

/* The first fault tells that the writer has the file's lock (mm/filemap.c: inode_lock, then the copy). */
static void stick_to(struct stuck_file *f, int fd)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffd_msg msg;

	f->size = (size_t)sysconf(_SC_PAGESIZE);
	f->fd = fd;
	if (fd < 0 || ftruncate(fd, DISK_SIZE))
		test_error("a file: %s", strerrorname_np(errno));
	f->page = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	f->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (f->uffd < 0 && errno == ENOSYS)
		SKIP("this host's kernel has no userfaultfd: use one with CONFIG_USERFAULTFD");
	if (f->uffd < 0 && errno == EPERM)
		SKIP("userfaultfd is not allowed: run as root, or sysctl "
		     "vm.unprivileged_userfaultfd=1");
	reg.range.start = (uint64_t)(uintptr_t)f->page;
	reg.range.len = f->size;
	if (f->page == MAP_FAILED || f->uffd < 0 || ioctl(f->uffd, UFFDIO_API, &api) ||
	    ioctl(f->uffd, UFFDIO_REGISTER, &reg))
		test_error("userfaultfd: %s", strerrorname_np(errno));
	if (pthread_create(&f->thread, NULL, write_from_nowhere, f) ||
	    read(f->uffd, &msg, sizeof(msg)) != sizeof(msg) || msg.event != UFFD_EVENT_PAGEFAULT)
		test_error("nobody waits for the page");
}

static void stick(struct stuck_file *f)
{
	stick_to(f, memfd_create("disk", MFD_CLOEXEC));
	snprintf(f->word, sizeof(f->word), "file=/proc/%d/fd/%d,if=virtio-mmio", getpid(), f->fd);
}

static void release(struct stuck_file *f)
{
	struct uffdio_zeropage z = {
		.range = {.start = (uint64_t)(uintptr_t)f->page, .len = f->size}};

	if (ioctl(f->uffd, UFFDIO_ZEROPAGE, &z))
		test_error("UFFDIO_ZEROPAGE: %s", strerrorname_np(errno));
	pthread_join(f->thread, NULL);
}

TEST(control, a_disk_that_does_not_answer_stops_nothing_else, RULE("VMM-SLOW-1"))
{
	struct stuck_file f;
	struct machine m;

	stick(&f);
	payload_start(&m, PAYLOAD, (const char *const[]){"--drive", f.word, NULL});
	ASSERT_TRUE(payload_says("asked the disk"));
	EXPECT_TRUE(payload_says("goes on")); /* a vCPU, and the device that it reads */
	EXPECT_TRUE(payload_says("goes on"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"running\""));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"dump-regs\"}"), "\"x0\""));
	EXPECT_TRUE(payload_says("goes on"));
	release(&f);
	EXPECT_TRUE(payload_says("the disk answered"));
	EXPECT_EQ(machine_end(&m), 0);
}

/* The process itself cannot go before the kernel lets its thread go; what it owns goes at once. */
TEST(control, a_machine_ends_while_its_disk_does_not_answer, RULE("VMM-SLOW-2"))
{
	struct stuck_file f;
	struct machine m;

	stick(&f);
	payload_start(&m, PAYLOAD, (const char *const[]){"--drive", f.word, NULL});
	ASSERT_TRUE(payload_says("goes on"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"reset\"}"), "\"ok\": true"));
	EXPECT_TRUE(payload_says("asked the disk")); /* anew: what it asked before is forgotten */
	EXPECT_TRUE(payload_says("goes on"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"quit\"}"), "\"ok\": true"));
	EXPECT_EVENTUALLY(access(m.path, F_OK) != 0);
	release(&f);
	EXPECT_EQ(machine_end(&m), 0);
}

/* It says what does not stand still, and then everything goes on as if nobody had asked. */
TEST(control, a_pause_fails_when_the_disk_does_not_answer, RULE("VMM-SLOW-3"))
{
	static const char pause[] = "{\"command\":\"pause\",\"limit-ms\":200}";
	struct stuck_file f;
	struct machine m;
	const char *a;

	stick(&f);
	payload_start(&m, PAYLOAD, (const char *const[]){"--drive", f.word, NULL});
	ASSERT_TRUE(payload_says("goes on"));
	a = ask(&m, pause);
	EXPECT_TRUE(strstr(a, "\"ok\": false") && strstr(a, "\"failed\""));
	EXPECT_TRUE(strstr(a, "its file does not answer"));
	ASSERT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"running\""));
	EXPECT_TRUE(payload_says("goes on"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"pause\",\"limit-ms\":10001}"), "usage"));
	release(&f);
	EXPECT_TRUE(payload_says("the disk answered"));
	EXPECT_EQ(machine_end(&m), 0);
}

/* Whoever pauses a machine may copy its disk then: what is under way is waited for, and told to the guest later. */
TEST(control, a_pause_waits_for_the_disk, RULE("VMM-CONTROL-10"))
{
	struct pollfd p = {.events = POLLIN};
	struct stuck_file f;
	struct machine m;

	stick(&f);
	payload_start(&m, PAYLOAD, (const char *const[]){"--drive", f.word, NULL});
	ASSERT_TRUE(payload_says("goes on"));
	p.fd = machine_connect(&m);
	ASSERT_TRUE(send_all(p.fd, "{\"command\":\"pause\"}\n", 20));
	EXPECT_EQ(poll(&p, 1, 300), 0);
	release(&f);
	EXPECT_TRUE(strstr(read_answer(p.fd), "\"ok\": true"));
	close(p.fd);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"paused\""));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"resume\"}"), "\"ok\": true"));
	EXPECT_TRUE(payload_says("the disk answered"));
	EXPECT_EQ(machine_end(&m), 0);
}

/*
 * CPU 0 programs a word of flash bank 1 and counts in x5, again and again; CPU 1 reads where nothing is. Encodings: Arm
 * ARM (DDI 0487), C6.2; commands: Intel 306666, chapter 11.
 */
static const uint32_t programmer[] = {
	0xd2a08006,		/* mov x6, #0x04000000, bank 1 */
	0xd2800060, 0xf2b88000, /* mov x0, #0xc4000003: CPU_ON (DEN 0022, 5.1.4) */
	0xd2800021,		/* mov x1, #1 */
	0x10000122,		/* adr x2, cpu1 */
	0xd4000002,		/* hvc #0 */
	0x52800800, 0x72a00800, /* mov w0, #0x00400040 */
	0xd2800005,		/* mov x5, #0 */
	0xb90000c0,		/* again: str w0, [x6] */
	0xb90000df,		/* str wzr, [x6] */
	0x910004a5,		/* add x5, x5, #1 */
	0x17fffffd,		/* b again */
	0xd2a1e007,		/* cpu1: mov x7, #0x0f000000 */
	0xb94000e8,		/* read: ldr w8, [x7] */
	0x17ffffff,		/* b read */
};

/* True: CPU 0 waits for the file. Otherwise everything goes on. */
static bool stands_in_a_store(const struct machine *m)
{
	const char *a = ask(m, "{\"command\":\"pause\",\"limit-ms\":100}");

	if (strstr(a, "\"ok\": true")) {
		EXPECT_TRUE(strstr(ask(m, "{\"command\":\"resume\"}"), "\"ok\": true"));
		return false;
	}
	return EXPECT_TRUE(strstr(a, "the file of --vars does not answer"));
}

TEST(control, a_flash_file_that_does_not_answer_stops_one_vcpu, RULE("VMM-SLOW-5"))
{
	static const char status[] = "{\"command\":\"status\"}", seen[] = "unclaimed-accesses";
	char path[64], options[96];
	struct stuck_file f;
	struct machine m;
	uint64_t before;
	int fd = open(scratch_path(path, sizeof(path), "vars"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, DISK_SIZE))
		test_error("%s: %s", path, strerrorname_np(errno));
	snprintf(options, sizeof(options), "--smp 2 --vars %s", path);
	machine_start_guest(&m, programmer, sizeof(programmer), options, -1);
	expect_counting(&m);
	stick_to(&f, fd);
	EXPECT_EVENTUALLY(stands_in_a_store(&m));
	EXPECT_TRUE(strstr(ask(&m, status), "\"state\": \"running\""));
	before = answer_u64(ask(&m, status), seen);
	EXPECT_EVENTUALLY(answer_u64(ask(&m, status), seen) > before);
	EXPECT_TRUE(stands_in_a_store(&m));
	release(&f);
	expect_counting(&m);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"quit\"}"), "\"ok\": true"));
	EXPECT_EQ(machine_end(&m), 0);
}
