/* SPDX-License-Identifier: Apache-2.0 */
/* What refvmm gives up once its machine runs: system calls, descriptors, privileges. */
#include "client.h"
#include "file.h"
#include "proc.h"
#include <poll.h>
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* seccomp(2): ENOSYS from a kernel without CONFIG_SECCOMP, or without its filters */
static bool host_has_seccomp(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/*
 * The system call is not done, and the process that tried it is ended and says which one it was. What refvmm has
 * open decides about two: with a file (`file=1`) ioctl is KVM's alone and files are opened for reading; where all it
 * has is KVM's, pipes and /dev/null, any ioctl is harmless and nothing is opened.
 */
TEST(control, forbidden_system_calls_end_refvmm_by_name, RULE("VMM-CONFINE-1"),
     VARIANTS("execve: call=execve | execveat: call=execveat | fork: call=clone | "
	      "clone3: call=clone3 dies=0 | socket: call=socket | connect: call=connect | "
	      "bind: call=bind | ptrace: call=ptrace | mount: call=mount | write-open: call=openat "
	      "| "
	      "openat2: call=openat2 | code: call=mprotect | map-code: call=mmap | "
	      "module: call=init_module | bpf: call=bpf | uring: call=io_uring_setup | "
	      "userfault: call=userfaultfd | reboot: call=reboot | setuid: call=setuid | "
	      "other-ioctl: call=ioctl file=1 | ioctl-of-pipes: call=ioctl dies=0 | "
	      "file-write-open: call=openat file=1 | own-handler: call=rt_sigaction | "
	      "vm-write: call=process_vm_writev | dup: call=dup | getpid: call=getpid dies=0"))
{
	static struct proc run;
	const char *call = test_param("call");
	char vmm[512], payload[512], probe[64], want[128];
	char *argv[] = {vmm,
			(char *)"--sandbox",
			probe,
			(char *)"--time-limit",
			(char *)"400",
			(char *)"--kernel",
			payload,
			(char *)"--append",
			(char *)"test=none.none",
			test_param("file") ? (char *)"--trace" : NULL,
			(char *)"/dev/null",
			NULL};

	ASSERT_TRUE(call);
	if (!host_has_seccomp())
		SKIP_NEEDS("seccomp", "this kernel has no seccomp filters");
	bundle_path("refvmm", vmm, sizeof(vmm));
	bundle_path("guest-tests/pl011.elf", payload, sizeof(payload));
	if (access(vmm, X_OK) || access(payload, R_OK))
		SKIP("no refvmm or payload beside this program: build the bundle");
	snprintf(probe, sizeof(probe), "probe=%s", call);
	if (proc_run(&run, argv, 25000) < 0)
		test_error("%s cannot be run", vmm);
	if (!test_param_u64("dies", 1)) { /* the twin: an allowed one, or one that only fails */
		EXPECT_EQ(run.signal, 0);
		EXPECT_TRUE(!strstr(run.err, "forbidden"));
		return;
	}
	snprintf(want, sizeof(want),
		 "refvmm: a system call that is forbidden after the start: %s\n", call);
	if (!EXPECT_EQ(run.signal, SIGSYS) || !EXPECT_TRUE(strstr(run.err, want)))
		NOTE("stderr was: %.300s", run.err);
}

static void status_line(const struct machine *m, const char *name, char *buf, size_t size)
{
	char path[64], text[4096];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)m->pid);
	if (file_read(path, text, sizeof(text)) <= 0)
		test_error("%s cannot be read", path);
	p = strstr(text, name);
	snprintf(buf, size, "%.*s", p ? (int)strcspn(p, "\n") : 0, p ? p : "");
}

/* proc(5): NoNewPrivs 1; Seccomp 2 is filter mode, and no line without CONFIG_SECCOMP; Max core file size */
TEST(control, a_running_machine_is_confined, RULE("VMM-CONFINE-2"),
     VARIANTS("one: options= | smp: options=--smp_4"))
{
	struct machine m;
	char line[64], path[64], text[4096];

	machine_start(&m, strstr(test_param("options") ?: "", "smp") ? "--smp 4" : "");
	expect_counting(&m);
	status_line(&m, "NoNewPrivs:", line, sizeof(line));
	EXPECT_STREQ(line, "NoNewPrivs:\t1");
	status_line(&m, "Seccomp:", line, sizeof(line));
	EXPECT_STREQ(line, host_has_seccomp() ? "Seccomp:\t2" : "");
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)m.pid);
	ASSERT_TRUE(file_read(path, text, sizeof(text)) > 0);
	EXPECT_TRUE(strstr(text, "Max core file size        0                    0"));
}

/* Without filters refvmm says so and runs on, unless it was told that it must be confined. */
TEST(control, confinement_is_as_asked_for, RULE("VMM-CONFINE-2"),
     VARIANTS("auto: mode=auto | on: mode=on | off: mode=off"))
{
	static struct proc run;
	const char *mode = test_param("mode") ?: "";
	bool must = !strcmp(mode, "on"), lacking = !host_has_seccomp();
	static const char *const kept[] = {"Seccomp:", "NoNewPrivs:"};
	struct machine m, self = {.pid = getpid()};
	char vmm[512], payload[512], options[32], line[64], own[64];
	char *argv[] = {vmm,
			(char *)"--sandbox",
			(char *)(uintptr_t)mode,
			(char *)"--time-limit",
			(char *)"25000",
			(char *)"--kernel",
			payload,
			(char *)"--append",
			(char *)"test=none.none",
			NULL};

	bundle_path("refvmm", vmm, sizeof(vmm));
	bundle_path("guest-tests/pl011.elf", payload, sizeof(payload));
	if (access(vmm, X_OK) || access(payload, R_OK))
		SKIP("no refvmm or payload beside this program: build the bundle");
	if (proc_run(&run, argv, 25000) < 0)
		test_error("%s cannot be run", vmm);
	EXPECT_EQ(!strncmp(run.err, "needs=seccomp: ", 15), must && lacking);
	EXPECT_EQ(strstr(run.err, "no system call is forbidden") != NULL,
		  !strcmp(mode, "auto") && lacking);
	EXPECT_EQ(strstr(run.out, "1..") != NULL, !(must && lacking));
	if (must && lacking)
		return;
	snprintf(options, sizeof(options), "--sandbox %s", mode);
	machine_start(&m, options);
	expect_counting(&m);
	for (unsigned int i = 0; i < 2; i++) { /* off: no more than this program is */
		status_line(&m, kept[i], line, sizeof(line));
		status_line(&self, kept[i], own, sizeof(own));
		EXPECT_STREQ(line, !strcmp(mode, "off") ? own
				   : i			? "NoNewPrivs:\t1"
				   : lacking		? ""
							: "Seccomp:\t2");
	}
}

/* A descriptor that whoever started refvmm left open is not there once the guest runs. */
TEST(control, inherited_descriptors_are_closed, RULE("VMM-CONFINE-2"))
{
	struct machine m;
	char path[40], link[64], to[128];
	int fd = open("/proc/self/status", O_RDONLY); /* no O_CLOEXEC */
	int high = fcntl(fd, F_DUPFD, 60);

	ASSERT_TRUE(fd >= 0 && high >= 60);
	machine_start(&m, "");
	expect_counting(&m);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)m.pid);
	for (int n = 3; n < 70; n++) {
		ssize_t len;

		snprintf(link, sizeof(link), "%s/%d", path, n);
		len = readlink(link, to, sizeof(to) - 1);
		if (len <= 0)
			continue;
		to[len] = '\0';
		if (!EXPECT_TRUE(!strstr(to, "/status") && !strstr(to, "memfd:kernel")))
			NOTE("descriptor %d is %s", n, to);
	}
}

/* But for the one that a device was given by its number. */
TEST(control, a_descriptor_given_by_number_stays_open, RULE("VMM-CONFINE-2"))
{
	struct pollfd p = {.events = POLLIN};
	struct machine m;
	char options[64];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || fcntl(pair[1], F_SETFD, FD_CLOEXEC))
		test_error("socketpair: %s", strerrorname_np(errno));
	snprintf(options, sizeof(options), "--net stream,fd=%d", pair[0]);
	machine_start(&m, options);
	close(pair[0]);
	expect_counting(&m);
	p.fd = pair[1];
	EXPECT_EQ(poll(&p, 1, 0), 0); /* nobody hung up */
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"quit\"}"), "\"ok\": true"));
	EXPECT_EQ(machine_end(&m), 0);
	EXPECT_EQ(poll(&p, 1, 0), 1);
}
