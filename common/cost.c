/* SPDX-License-Identifier: MIT
 *
 * cost: what a measurement cost. See cost.h for the contract.
 */
#include "cost.h"

#include "clock.h"
#include "opt.h"
#include "sock.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t timeval_ns(struct timeval t)
{
    return (uint64_t)t.tv_sec * CLOCK_S + (uint64_t)t.tv_usec * CLOCK_US;
}

static void ask_tcp(struct cost *c, int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return; /* not TCP */
    c->retransmits = info.tcpi_total_retrans;
    c->rtt_ns = info.tcpi_rtt * CLOCK_US;
    c->cwnd = info.tcpi_snd_cwnd;
}

static void ask_drops(struct cost *c, int fd)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
        c->kernel_drops = info[SK_MEMINFO_DROPS];
}

void cost_now(struct cost *c, int fd)
{
    struct rusage use;
    *c = (struct cost){.kernel_drops = COST_UNKNOWN,
                       .retransmits = COST_UNKNOWN,
                       .rtt_ns = COST_UNKNOWN,
                       .cwnd = COST_UNKNOWN,
                       .syscalls = sock_calls(),
                       .cpu = (uint64_t)sched_getcpu(),
                       .thread = (uint64_t)syscall(SYS_gettid)};
    if (getrusage(RUSAGE_THREAD, &use) == 0) {
        c->cpu_ns = timeval_ns(use.ru_utime) + timeval_ns(use.ru_stime);
        c->voluntary = (uint64_t)use.ru_nvcsw;
        c->involuntary = (uint64_t)use.ru_nivcsw;
    }
    if (fd < 0)
        return;
    ask_tcp(c, fd);
    ask_drops(c, fd);
}

static void subtract(uint64_t *value, uint64_t *before, uint64_t begin)
{
    if (*value == COST_UNKNOWN || begin == COST_UNKNOWN)
        return;
    *before = begin;
    *value = *value > begin ? *value - begin : 0;
}

void cost_since(struct cost *c, const struct cost *begin)
{
    uint64_t no_matter;
    subtract(&c->syscalls, &c->before.syscalls, begin->syscalls);
    subtract(&c->cpu_ns, &c->before.cpu_ns, begin->cpu_ns);
    subtract(&c->voluntary, &c->before.voluntary, begin->voluntary);
    subtract(&c->involuntary, &c->before.involuntary, begin->involuntary);
    subtract(&c->kernel_drops, &c->before.kernel_drops, begin->kernel_drops);
    subtract(&c->retransmits, &no_matter, begin->retransmits);
}

/* Two streams' counts of one thing (SAME: the two overlap, as it had counted
 * *BEFORE and MORE_BEFORE by then), or of two. */
static void add(bool same, uint64_t *value, uint64_t *before, uint64_t more,
                uint64_t more_before)
{
    if (*value == COST_UNKNOWN || more == COST_UNKNOWN) {
        *value = COST_UNKNOWN;
    } else if (!same) {
        *value += more;
    } else {
        uint64_t end = *before + *value, more_end = more_before + more;
        if (more_before < *before)
            *before = more_before;
        *value = (end > more_end ? end : more_end) - *before;
    }
}

static void larger(uint64_t *value, uint64_t other)
{
    if (*value == COST_UNKNOWN || (other != COST_UNKNOWN && other > *value))
        *value = other;
}

void cost_add(struct cost *into, const struct cost *from)
{
    bool thread = into->thread != 0 && into->thread == from->thread;
    /* A datagram socket serves all streams, a connection its own. */
    bool socket = thread && from->retransmits == COST_UNKNOWN;
    uint64_t none = 0;
    add(thread, &into->syscalls, &into->before.syscalls, from->syscalls,
        from->before.syscalls);
    add(thread, &into->cpu_ns, &into->before.cpu_ns, from->cpu_ns,
        from->before.cpu_ns);
    add(thread, &into->voluntary, &into->before.voluntary, from->voluntary,
        from->before.voluntary);
    add(thread, &into->involuntary, &into->before.involuntary,
        from->involuntary, from->before.involuntary);
    add(socket, &into->kernel_drops, &into->before.kernel_drops,
        from->kernel_drops, from->before.kernel_drops);
    add(false, &into->retransmits, &none, from->retransmits, 0);
    larger(&into->rtt_ns, from->rtt_ns);
    larger(&into->cwnd, from->cwnd);
    into->cpu = from->cpu;
}

/* How many cores this thread may run on, at least 1. */
static unsigned cores(void)
{
    cpu_set_t set;
    int count = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

int cost_pin(const char *text, struct err *e)
{
    uint64_t cpu;
    cpu_set_t set;
    if (text == NULL)
        return 0;
    if (opt_parse_number(text, "--cpu", 0, 1023, &cpu, e) < 0)
        return -1;
    CPU_ZERO(&set);
    if (cpu < CPU_SETSIZE)
        CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0)
        return 0;
    if (errno == EINVAL)
        return err_set(e, STATUS_USAGE,
                       "--cpu %llu: not one of the %u cores that this program "
                       "may run on",
                       (unsigned long long)cpu, cores());
    return err_sys(e, "core %llu", (unsigned long long)cpu);
}
