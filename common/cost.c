/* SPDX-License-Identifier: MIT
 *
 * cost: what a measurement cost. See cost.h for the contract.
 */
#include "cost.h"

#include "clock.h"
#include "opt.h"
#include "sock.h"

#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

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
                       .cpu = (uint64_t)sched_getcpu()};
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

static void subtract(uint64_t *value, uint64_t begin)
{
    if (*value != COST_UNKNOWN && begin != COST_UNKNOWN)
        *value = *value > begin ? *value - begin : 0;
}

void cost_since(struct cost *c, const struct cost *begin)
{
    subtract(&c->syscalls, begin->syscalls);
    subtract(&c->cpu_ns, begin->cpu_ns);
    subtract(&c->voluntary, begin->voluntary);
    subtract(&c->involuntary, begin->involuntary);
    subtract(&c->kernel_drops, begin->kernel_drops);
    subtract(&c->retransmits, begin->retransmits);
}

static void add(uint64_t *value, uint64_t more)
{
    *value = *value == COST_UNKNOWN || more == COST_UNKNOWN ? COST_UNKNOWN
                                                            : *value + more;
}

static void larger(uint64_t *value, uint64_t other)
{
    if (*value == COST_UNKNOWN || (other != COST_UNKNOWN && other > *value))
        *value = other;
}

void cost_add(struct cost *into, const struct cost *from)
{
    add(&into->syscalls, from->syscalls);
    add(&into->cpu_ns, from->cpu_ns);
    add(&into->voluntary, from->voluntary);
    add(&into->involuntary, from->involuntary);
    add(&into->kernel_drops, from->kernel_drops);
    add(&into->retransmits, from->retransmits);
    larger(&into->rtt_ns, from->rtt_ns);
    larger(&into->cwnd, from->cwnd);
    into->cpu = from->cpu;
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
    return err_sys(e, "core %llu", (unsigned long long)cpu);
}

unsigned cost_cores(void)
{
    cpu_set_t set;
    int count = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}
