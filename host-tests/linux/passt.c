/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passt(1) behind a network card: `--net stream,path=SOCKET` as its manual shows it for QEMU. It gives the guest an
 * address by DHCP, and what the guest sends to its gateway reaches the host's own loopback.
 */
#include "file.h"
#include "linux.h"
#include "scratch.h"
#include <assay/exit.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUEST_ADDRESS "10.0.2.77"

/* The words that start it: installed, or the bundle's with the libraries beside it. */
static const char *const *program(void)
{
	static char loader[640], folder[640], passt[640];
	static const char *words[4];

	if (file_exists("/usr/bin/passt")) {
		words[0] = "/usr/bin/passt";
		return words;
	}
	bundle_path("linux/passt", folder, sizeof(folder));
	bundle_path("linux/passt/ld-linux-aarch64.so.1", loader, sizeof(loader));
	bundle_path("linux/passt/passt", passt, sizeof(passt));
	if (!file_exists(passt))
		SKIP("no passt on this host: install the package passt (Debian, Fedora)");
	words[0] = loader;
	words[1] = "--library-path";
	words[2] = folder;
	words[3] = passt;
	return words;
}

/*
 * passt calls pivot_root(2), which a process whose root is the initramfs may not: a second mount of the same, over it.
 * Elsewhere it does no harm, for it is seen by this process alone.
 */
static int own_root(void)
{
	char root[64];

	scratch_path(root, sizeof(root), "root");
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mkdir(root, 0700) || mount("/", root, NULL, MS_BIND | MS_REC, NULL) || chdir(root) ||
	       mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/");
}

static pid_t start_passt(const char *socket_path)
{
	const char *const *p = program();
	const char *argv[24];
	size_t n = 0;
	pid_t pid;

	while (n < 4 && p[n]) {
		argv[n] = p[n];
		n++;
	}
	for (const char *const *w =
		     (const char *const[]){"--foreground", "--stderr", "--runas", "65534:65534",
					   "--socket", socket_path, "-i", "assay0", "-a",
					   GUEST_ADDRESS, "-n", "24", "-g", "10.0.2.2", "-4",
					   "--one-off", NULL};
	     *w; w++)
		argv[n++] = *w;
	argv[n] = NULL;
	pid = fork();
	if (pid < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO); /* what it says is no line of ours */
		if (own_root())
			fprintf(stderr, "a root of passt's own: %s\n", strerrorname_np(errno));
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

TEST(linux, reaches_the_host_through_passt, RULE("VMM-HOST-3"), .tags = "slow")
{
	char path[64], word[160], text[128];
	struct machine m = {.machine = "virt-1",
			    .cpus = "2",
			    .append = "assay.net=dhcp",
			    .devices = {"--net", word}};

	program();
	own_network();
	interface_up("lo", "127.0.0.1");
	close(tap_make("assay0")); /* passt wants to know an interface that leads out */
	interface_up("assay0", "10.0.2.15");
	serve_echo("127.0.0.1");
	if (chmod(scratch_folder(), 0777)) /* it gives its privileges up */
		test_error("%s: %s", scratch_folder(), strerrorname_np(errno));
	scratch_path(path, sizeof(path), "socket");
	start_passt(path);
	ASSERT_TRUE(EXPECT_EVENTUALLY(file_exists(path)));
	snprintf(word, sizeof(word), "stream,path=%s", path);
	boot(&m);
	expect_came_up("2");
	EXPECT_STREQ(said("eth0-lease", text, sizeof(text)), GUEST_ADDRESS);
	EXPECT_STREQ(said("eth0", text, sizeof(text)), "pci 52:54:00:12:34:56 up guest gets");
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	if (test_has_failed())
		note_end();
}
