/* SPDX-License-Identifier: Apache-2.0 */
/* One machine: VM, vCPUs, board and the threads that run them. Two in one process do not meet. */
#ifndef REFVMM_MACHINE_H
#define REFVMM_MACHINE_H

#include <poll.h>
#include <pthread.h>

#include "board.h"
#include "boot.h"
#include "control/control.h"
#include "core/buf.h"
#include "core/gpa.h"
#include "core/lock.h"
#include "firmware.h"
#include "kvm/gic.h"
#include "kvm/vcpu.h"

#define MACHINE_KICK_SIGNAL SIGUSR1 /* makes a blocking call of a vCPU's thread return */
#define MACHINE_WATCHES_MAX (2 * VIRTIO_DEVS_MAX)

struct machine;

struct cpu_thread {
	struct machine *m;
	struct vcpu vcpu;
	pthread_t thread;
	bool started;
	bool owes;	       /* what follows or its output, before the guest goes on */
	uint64_t pause_ms;     /* asked for by the store being handled */
	struct env_work *work; /* the same */
};

/* machine_console.c */
struct console {
	struct buf printed; /* under the machine's lock */
	bool mid_line;	    /* the last byte printed was no newline */
	struct lock writer; /* taken before the machine's; for what follows */
	struct buf going;
	size_t at;    /* what of it has been written */
	bool broken;  /* standard output takes nothing any more */
	bool writing; /* atomic */
};

struct worker; /* machine_work.c */

struct machine {
	struct env env;		  /* first: env callbacks find the machine by it */
	struct machine_conf conf; /* resolved: nothing is AUTO or HOST any more */
	struct kvm kvm;
	struct vm vm;
	struct gic gic;
	struct ram ram;
	struct gmem mem;
	struct board board;
	struct cpu_thread *cpu;
	unsigned cpus; /* created */
	struct boot_files files;
	struct firmware firmware; /* what it is offered */
	struct {
		const struct dev *dev; /* NULL: free */
		unsigned win;
		void *host;
		uint64_t size; /* 0: not there at the moment */
	} rom[VM_ROMS];

	struct lock lock;	    /* board, console, and what follows */
	struct cpu_thread *current; /* whose MMIO access is being handled */
	struct console console;
	unsigned
		host_cpus; /* of the test port: how many the guest may be moved between; 0: not yet asked */
	uint64_t deadline_ns[CONF_DEVS_MAX]; /* by index in board.dev; 0: none */
	uint64_t guest_errors;
	unsigned undecoded; /* accesses that KVM could not decode */
	struct env_watch *watch[MACHINE_WATCHES_MAX];
	unsigned watches;
	bool serving; /* the event loop is calling them */
	struct {
		pthread_mutex_t guard; /* held by who pauses, and while vCPUs are made anew */
		pthread_mutex_t lock;
		pthread_cond_t changed;
		bool wanted;	/* atomic; written under the lock */
		unsigned still; /* threads that are parked, or have ended */
		unsigned busy;	/* workers that are at work */
	} pause;
	struct worker *worker[VIRTIO_DEVS_MAX];
	unsigned workers;
	bool abandoned;		 /* a worker did not come back */
	struct control *control; /* NULL: no socket */
	uint64_t key_up_ns;	 /* when the power key is let go; 0: nobody presses it */
	int signal;		 /* atomic: caught and not yet served; 0: none */
	int ending;		 /* the signal that the guest was told of; 0: none */
	uint64_t grace_ns;	 /* when it must have powered off; 0: no such time */
	pthread_t loop;		 /* the event loop's thread */
	bool loop_started;
	int wake_fd;		   /* eventfd: something for the event loop */
	bool stopped;		   /* atomic */
	bool reset;		   /* atomic: the vCPUs leave their loops for a reset */
	pthread_mutex_t kick_lock; /* the first vCPU's `started`, and that it is there */
	int result;		   /* of the first who stopped: 0 or a negative error */
	bool hurried;		   /* and it waits for no reader */
	unsigned status;	   /* with result 0: the exit status */
};

/* Creates everything up to the first instruction. machine_free() after failure, too. */
int machine_init(struct machine *m, const struct machine_conf *c);
/* Runs to the end; *status is what the guest wants as exit status. */
int machine_run(struct machine *m, unsigned *status);
void machine_free(struct machine *m);
/* Back to power-on, but for the contents of RAM and flash. No vCPU's thread runs. */
int machine_reset(struct machine *m);

/* Turns `host`, `max` and `auto` of GIC and ITS into what KVM offers this VM. */
int machine_resolve_gic(struct machine_conf *c, const struct vm *vm);
unsigned machine_ipa_bits(const struct machine_conf *c);

/* Ends the run; the first caller wins. Any thread. */
void machine_stop(struct machine *m, int result, unsigned status);
/* The same from outside, by somebody who will not wait until what the guest printed is read. */
void machine_end(struct machine *m, int result, unsigned status);
bool machine_stopped(struct machine *m);
/* What the guest asks for by PSCI and the control socket by name. Any thread. */
void machine_ask_for_reset(struct machine *m);

/*
 * machine_loop.c: the thread that waits for timers, input and the time limit. It is started when there is something
 * to wait for: from the beginning if `wanted`, else under the machine's lock by whoever brings it (a device's timer).
 */
bool machine_loop_wanted(const struct machine *m);
int machine_loop_start(struct machine *m); /* nothing if it runs; 0 or a negative error, logged */
void machine_loop_join(struct machine *m);
void machine_wake(struct machine *m); /* it looks at everything anew */

/* Is the run, or this run up to a reset, at its end? */
bool machine_leaving(struct machine *m);

/*
 * machine_pause.c: all vCPUs stand still outside KVM, devices do nothing and, if `devices`, what they asked of the
 * host is done; or all goes on. 0, or after `limit_ms` nothing stands still: -ETIMEDOUT (a vCPU), -EBUSY (what a
 * device waits for).
 * From the event loop, under pause.guard; a vCPU's thread parks where it sees machine_pausing().
 */
int machine_pause(struct machine *m, bool devices, uint64_t limit_ms);
struct timespec machine_in_ms(uint64_t ms); /* for pthread_cond_timedwait() and the like */
void machine_resume(struct machine *m);
bool machine_pausing(struct machine *m);
void machine_park(struct cpu_thread *t);
void machine_unkick(
	struct cpu_thread *t); /* its own thread, where nothing asks it to stand still */
void machine_park_ended(struct machine *m);
void machine_park_begin(struct machine *m);
void machine_wake_parked(struct machine *m);

/* machine_confine.c: gives up what a running machine does not need. 0 or a negative error, logged. */
int machine_confine(const struct machine_conf *c);
/* The flight recorder's end on stderr, if the run ended badly. */
void machine_show_trace(int ret, unsigned status);

/* machine_control.c: what the control socket takes. */
extern const struct control_command machine_commands[];

/*
 * machine_power.c: the power key; under the lock. Lets it go, and ends the machine, when it is time; returns when
 * that will be, 0: never.
 */
void machine_press_key(struct machine *m);
uint64_t machine_power_timers(struct machine *m, uint64_t now);

/*
 * SIGTERM, SIGINT and SIGHUP are this machine's from now on: before anybody can see its socket. What came is served
 * by the first vCPU's thread (with the lock held or, check, not) and by the event loop.
 */
void machine_signals_catch(struct machine *m);
void machine_signals_leave(void); /* from now on they end the process at once */
void machine_signals_serve(struct machine *m);
void machine_signals_check(struct machine *m);
/* Makes all vCPUs' blocking calls return, and again those that begin just then; until it is off. */
void machine_tick(bool on);
/* A thread that takes none of them; an errno. */
int machine_thread(pthread_t *t, void *(*fn)(void *), void *arg);

/* machine_env.c: the world as this machine's devices see it. */
extern const struct env_ops machine_env_ops;
extern const struct test_port_host machine_port_ops;

/* machine_console.c: what the guest prints; under the lock. */
void console_print(struct machine *m, const void *text, size_t len);
void console_print_line(struct machine *m, const char *text, size_t len);
/* Writes it: a vCPU's thread, without the lock. True: it is wanted elsewhere, and something is left. */
bool console_write(struct machine *m);
bool console_writing(struct machine *m);
/* The rest, at the end, when nobody else is left. */
void console_finish(struct machine *m);

/* machine_watch.c: env_ops.watch; what to poll for; and, after poll(), who is called. */
int machine_watch(struct machine *m, struct env_watch *w);
unsigned machine_watch_prepare(struct machine *m, struct pollfd fd[MACHINE_WATCHES_MAX]);
void machine_watch_serve(struct machine *m, const struct pollfd *fd, unsigned nr);

/* machine_work.c: env_ops.work; and the end of all who work, after everybody else's. */
int machine_work(struct machine *m, struct env_work *w);
void machine_work_end(struct machine *m);

#endif
