/* SPDX-License-Identifier: MIT
 *
 * test_fault: what happens to frames. Rules and options, good and bad; then
 * fates: the same seed gives the same ones, shares come out right, a flipped
 * bit is seen by the receiver's checksum, nothing held starves.
 * Read next: test_expect.c.
 */
#include "clock.h"
#include "fault.h"
#include "flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Rules. */

static const struct {
    const char *text;
    struct rule rule;
} good_rules[] = {
    {"drop client:data#2", {RULE_DROP, 0, HOST_CLIENT, RULE_DATA, 2, 2}},
    {"duplicate server:fin",
     {RULE_DUPLICATE, 0, HOST_SERVER, RULE_FIN, 1, UINT64_MAX}},
    {"  corrupt\tserver:synack#1-3 ",
     {RULE_CORRUPT, 0, HOST_SERVER, RULE_SYNACK, 1, 3}},
    {"delay=300ms client:any#7",
     {RULE_DELAY, 300 * CLOCK_MS, HOST_CLIENT, RULE_ANY, 7, 7}},
    {"swap client:udp#10-10", {RULE_SWAP, 0, HOST_CLIENT, RULE_UDP, 10, 10}},
};

/* A bad rule, and what its error must say: the word, what is allowed. */
static const struct {
    const char *text, *word, *allowed;
} bad_rules[] = {
    {"", "missing an action", "drop, duplicate"},
    {"lose client:data", "'lose'", "drop, duplicate, corrupt, delay=DUR, swap"},
    {"dropx client:data", "'dropx'", "drop, duplicate"},
    {"drop=1 client:data", "'drop=1'", "drop, duplicate"},
    {"delay client:data", "'delay'", "delay=DUR"},
    {"delay= client:data", "'delay='", "delay=300ms"},
    {"delay=3 parsecs", "'parsecs'", "client, server"},
    {"delay=3x client:data", "'delay=3x'", "delay=300ms"},
    {"delay=99999h client:data", "'delay=99999h'", "delay=300ms"},
    {"drop", "missing FROM:KIND", "client:data#2"},
    {"drop client", "'client'", "FROM:KIND"},
    {"drop :data", "missing a host", "client, server"},
    {"drop klient:data", "'klient'", "client, server"},
    {"drop client:", "missing a kind", "rst synack syn fin data ack"},
    {"drop client:dat#2", "'dat'", "rst synack syn fin data ack udp icmp any"},
    {"drop client:data#", "'#'", "#2-4"},
    {"drop client:data#0", "'#0'", "#2-4"},
    {"drop client:data#-1", "'#-1'", "#2-4"},
    {"drop client:data#3-", "'#3-'", "#2-4"},
    {"drop client:data#3-2", "'#3-2'", "#2-4"},
    {"drop client:data#1-2-3", "'#1-2-3'", "#2-4"},
    {"drop client:data#2x", "'#2x'", "#2-4"},
    {"drop client:data#99999999999999999999", "'#9999", "#2-4"},
    {"drop client:data#2 now", "'now'", "no more"},
};

static void reads_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_rules); i++) {
        const struct rule *want = &good_rules[i].rule;
        struct rule r;
        struct err e;
        assert_int_equal(rule_parse(good_rules[i].text, &r, &e), 0);
        assert_int_equal(r.action, want->action);
        assert_int_equal(r.delay_ns, want->delay_ns);
        assert_int_equal(r.from, want->from);
        assert_int_equal(r.kind, want->kind);
        assert_int_equal(r.first, want->first);
        assert_int_equal(r.last, want->last);
    }
}

static void refuses_rules_by_the_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_rules); i++) {
        struct rule r;
        struct err e;
        assert_int_equal(rule_parse(bad_rules[i].text, &r, &e), -1);
        assert_int_equal(e.status, STATUS_USAGE);
        if (strstr(e.text, bad_rules[i].word) == NULL ||
            strstr(e.text, bad_rules[i].allowed) == NULL)
            fail_msg("'%s': %s", bad_rules[i].text, e.text);
    }
}

/* Options. */

static int set(struct fault *f, const char *name, const char *text,
               struct err *e)
{
    const struct opt table[] = {FAULT_OPTIONS(f), OPT_END};
    for (const struct opt *o = table; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o->read(text, o, e);
    fail_msg("no option --%s", name);
    return -1;
}

static struct fault *new_fault(void)
{
    struct fault *f = fault_new(NULL);
    assert_non_null(f);
    return f;
}

/* A wire with one or two options set: "loss", "5%". */
static struct fault *wire(const char *name, const char *value,
                          const char *name2, const char *value2)
{
    struct fault *f = new_fault();
    struct err e;
    if (set(f, name, value, &e) < 0 ||
        (name2 != NULL && set(f, name2, value2, &e) < 0))
        fail_msg("%s", e.text);
    return f;
}

static void reads_options_for_each_direction(void **state)
{
    (void)state;
    struct fault *f = wire("loss", "5%", "loss", "client:0.1%");
    assert_int_equal(f->link[HOST_CLIENT].loss, 100);
    assert_int_equal(f->link[HOST_SERVER].loss, 5000);
    fault_free(f);
    f = wire("delay", "server:5ms", "rate", "client:10mbit");
    assert_int_equal(f->link[HOST_CLIENT].delay_ns, 20 * CLOCK_MS);
    assert_int_equal(f->link[HOST_SERVER].delay_ns, 5 * CLOCK_MS);
    assert_int_equal(f->link[HOST_CLIENT].rate_bps, 10000000);
    assert_int_equal(f->link[HOST_SERVER].rate_bps, 0);
    fault_free(f);
    f = wire("seed", "7", "blackhole", "client@2s");
    assert_int_equal(f->seed, 7);
    assert_int_equal(f->blackhole_ns[HOST_CLIENT], 2 * CLOCK_S);
    assert_true(f->blackhole_ns[HOST_SERVER] == UINT64_MAX);
    fault_free(f);
    f = wire("rule", "drop client:syn", "rule", "swap server:udp");
    assert_int_equal(f->rules, 2);
    assert_int_equal(f->rule[1].action, RULE_SWAP);
    fault_free(f);
}

static const struct {
    const char *name, *text, *says;
} bad_options[] = {
    {"loss", "x", "percentage"},
    {"loss", "101%", "percentage"},
    {"loss", "klient:5%", "client or server"},
    {"loss", ":5%", "client or server"},
    {"loss", "client:", "percentage"},
    {"delay", "client:5 ms", "duration"},
    {"delay", "20h", "must be"},
    {"rate", "10", "rate"},
    {"rate", "1bit", "must be"},
    {"queue", "0", "number from 1"},
    {"queue", "10001", "number from 1"},
    {"seed", "-1", "number"},
    {"rule", "drop me", "'me'"},
    {"blackhole", "client", "client@2s"},
    {"blackhole", "wire@2s", "client@2s"},
    {"blackhole", "client@soon", "duration"},
};

static void refuses_bad_options(void **state)
{
    (void)state;
    struct fault *f = new_fault();
    for (size_t i = 0; i < COUNT(bad_options); i++) {
        struct err e;
        assert_int_equal(set(f, bad_options[i].name, bad_options[i].text, &e),
                         -1);
        assert_int_equal(e.status, STATUS_USAGE);
        if (strstr(e.text, bad_options[i].says) == NULL)
            fail_msg("--%s %s: %s", bad_options[i].name, bad_options[i].text,
                     e.text);
    }
    assert_int_equal(f->rules, 0);
    for (int i = 0; i < FAULT_RULES; i++)
        assert_int_equal(set(f, "rule", "drop client:syn", NULL), 0);
    assert_int_equal(set(f, "rule", "drop client:syn", NULL), -1);
    fault_free(f);
}

static void refuses_settings_without_effect(void **state)
{
    (void)state;
    struct fault *f = wire("reorder", "1%", NULL, NULL);
    assert_int_equal(fault_check(f, NULL), 0);
    assert_int_equal(set(f, "delay", "server:0", NULL), 0);
    assert_int_equal(fault_check(f, NULL), -1);
    fault_free(f);
    f = wire("queue", "10", NULL, NULL);
    assert_int_equal(fault_check(f, NULL), -1);
    assert_int_equal(set(f, "rate", "1mbit", NULL), 0);
    assert_int_equal(fault_check(f, NULL), 0);
    fault_free(f);
}

/* Frames, made by their fields. */

static struct addr end(uint32_t ip, uint16_t port)
{
    return (struct addr){.in = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(ip),
                                .sin_port = htons(port)},
                         .len = sizeof(struct sockaddr_in)};
}

static struct frame packet(enum host_id from, uint8_t protocol,
                           uint16_t client_port)
{
    struct addr client = end(0x0a090001, client_port);
    struct addr server = end(0x0a090002, 9000);
    bool up = from == HOST_CLIENT;
    return (struct frame){.kind = FRAME_IP,
                          .wire_len = 100,
                          .ip_version = 4,
                          .ip_protocol = protocol,
                          .source = up ? client : server,
                          .destination = up ? server : client};
}

static struct frame udp(enum host_id from)
{
    struct frame f = packet(from, IPPROTO_UDP, 33528);
    f.kind = FRAME_UDP;
    return f;
}

static struct frame tcp(enum host_id from, uint8_t flags, uint32_t seq,
                        uint32_t ack, size_t payload_len)
{
    struct frame f = packet(from, IPPROTO_TCP, 40000);
    f.kind = FRAME_TCP;
    f.flags = flags;
    f.seq = seq;
    f.ack = ack;
    f.payload_len = payload_len;
    return f;
}

static struct fault_verdict decide(struct fault *f, enum host_id from,
                                   struct frame frame, uint64_t now_ns)
{
    struct fault_verdict v;
    fault_decide(f, from, &frame, now_ns, &v);
    return v;
}

static void tells_kinds_apart(void **state)
{
    (void)state;
    const struct {
        uint8_t flags;
        size_t len;
        enum rule_kind kind;
    } table[] = {
        {TCP_SYN, 0, RULE_SYN},
        {TCP_SYN | TCP_ACK, 0, RULE_SYNACK},
        {TCP_ACK, 0, RULE_ACK},
        {TCP_ACK | TCP_PSH, 6, RULE_DATA},
        {TCP_ACK | TCP_FIN, 0, RULE_FIN},
        {TCP_ACK | TCP_FIN | TCP_PSH, 6, RULE_FIN},
        {TCP_RST, 0, RULE_RST},
        {TCP_RST | TCP_ACK, 0, RULE_RST},
        {TCP_RST | TCP_SYN | TCP_FIN, 0, RULE_RST},
        {0, 0, RULE_ANY},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct frame f = tcp(HOST_CLIENT, table[i].flags, 1, 1, table[i].len);
        assert_int_equal(rule_kind_of(&f), table[i].kind);
    }
    struct frame fragment = packet(HOST_CLIENT, IPPROTO_UDP, 0);
    assert_int_equal(rule_kind_of(&fragment), RULE_UDP);
    struct frame icmp = packet(HOST_CLIENT, IPPROTO_ICMPV6, 0);
    assert_int_equal(rule_kind_of(&icmp), RULE_ICMP);
    assert_int_equal(rule_kind_of(&(struct frame){0}), RULE_ANY);
}

static void a_rule_hits_exactly_its_frame(void **state)
{
    (void)state;
    struct fault *f = wire("rule", "drop client:data#2", NULL, NULL);
    assert_int_equal(set(f, "rule", "duplicate client:any#5-6", NULL), 0);
    /* Data, data (dropped), bare ACK, the data again, and on. */
    static const struct {
        uint8_t flags;
        size_t len;
        enum fate fate;
        const char *by;
    } steps[] = {
        {TCP_ACK, 6, FATE_DELIVERED, ""},
        {TCP_ACK, 6, FATE_LOST, "rule 1"},
        {TCP_ACK, 0, FATE_DELIVERED, ""},
        {TCP_ACK, 6, FATE_DELIVERED, ""},
        {TCP_ACK, 6, FATE_DUPLICATED, "rule 2"},
        {TCP_ACK, 0, FATE_DUPLICATED, "rule 2"},
        {TCP_ACK, 6, FATE_DELIVERED, ""},
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        /* The other direction counts for itself. */
        struct fault_verdict v =
            decide(f, HOST_SERVER, tcp(HOST_SERVER, TCP_ACK, 1, 1, 6), i);
        assert_int_equal(v.fate, FATE_DELIVERED);
        v = decide(f, HOST_CLIENT,
                   tcp(HOST_CLIENT, steps[i].flags, 1, 1, steps[i].len), i);
        assert_int_equal(v.fate, steps[i].fate);
        assert_string_equal(v.by, steps[i].by);
        if (v.fate != FATE_LOST)
            assert_int_equal(v.due_ns, i + 20 * CLOCK_MS);
        if (v.fate == FATE_DUPLICATED)
            assert_int_equal(v.copy_due_ns, v.due_ns);
    }
    fault_free(f);
}

static void a_rule_delays(void **state)
{
    (void)state;
    struct fault *f = wire("rule", "delay=300ms client:udp#1", NULL, NULL);
    struct fault_verdict v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0);
    assert_int_equal(v.fate, FATE_DELIVERED);
    assert_string_equal(v.by, "rule 1");
    assert_int_equal(v.due_ns, 320 * CLOCK_MS);
    v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0);
    assert_int_equal(v.due_ns, 20 * CLOCK_MS);
    fault_free(f);
}

/* The fates of N datagrams, a letter each. */
static void udp_fates(struct fault *f, uint64_t step_ns, char *fates, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fates[i] =
            "dlDc"[decide(f, HOST_CLIENT, udp(HOST_CLIENT), i * step_ns).fate];
    fates[n] = '\0';
}

static void the_same_seed_gives_the_same_fates(void **state)
{
    (void)state;
    char first[1001], again[1001], other[1001];
    struct fault *f = wire("loss", "10%", "duplicate", "10%");
    udp_fates(f, CLOCK_MS, first, 1000);
    fault_free(f);
    f = wire("loss", "10%", "duplicate", "10%");
    udp_fates(f, CLOCK_US, again, 1000); /* at other times */
    fault_free(f);
    f = wire("loss", "10%", "duplicate", "10%");
    f->seed = 2;
    udp_fates(f, CLOCK_MS, other, 1000);
    fault_free(f);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

/* A dialogue in lock-step: a hundred lines and their echoes; what is lost is
 * sent until it passes. The numbers begin at ISN; between the lines other
 * frames of no interest may pass. */
static void tcp_fates(struct fault *f, uint32_t isn, bool disturb, char *fates)
{
    size_t n = 0;
    decide(f, HOST_CLIENT, tcp(HOST_CLIENT, TCP_SYN, isn, 0, 0), 0);
    decide(f, HOST_SERVER,
           tcp(HOST_SERVER, TCP_SYN | TCP_ACK, ~isn, isn + 1, 0), 0);
    for (uint32_t i = 0; i < 100; i++) {
        struct frame line =
            tcp(HOST_CLIENT, TCP_ACK | TCP_PSH, isn + 1 + 6 * i, ~isn + 1, 6);
        enum fate fate;
        do {
            if (disturb)
                decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0);
            fate = decide(f, HOST_CLIENT, line, n).fate;
            fates[n++] = "dlDc"[fate];
            assert_true(n < 1000); /* what is lost is not lost forever */
        } while (fate == FATE_LOST);
    }
    fates[n] = '\0';
}

static void tcp_fates_depend_on_the_segment_alone(void **state)
{
    (void)state;
    char first[1001], again[1001];
    struct fault *f = wire("loss", "30%", NULL, NULL);
    tcp_fates(f, 1000, false, first);
    fault_free(f);
    f = wire("loss", "30%", NULL, NULL);
    tcp_fates(f, 0xfffffff0, true, again); /* numbers that wrap */
    fault_free(f);
    assert_string_equal(first, again);
    assert_non_null(strchr(first, 'l'));
}

static unsigned count(const char *fates, char which)
{
    unsigned n = 0;
    for (; *fates != '\0'; fates++)
        n += *fates == which;
    return n;
}

static void shares_come_out_right(void **state)
{
    (void)state;
    static char fates[10001];
    struct fault *f = wire("loss", "5%", "duplicate", "client:20%");
    udp_fates(f, CLOCK_MS, fates, 10000);
    assert_in_range(count(fates, 'l'), 435, 565); /* 3 sigma */
    assert_in_range(count(fates, 'D'), 1780, 2020);
    fault_free(f);
    f = wire("loss", "100%", NULL, NULL);
    udp_fates(f, CLOCK_MS, fates, 1000);
    assert_int_equal(count(fates, 'l'), 1000);
    fault_free(f);
    f = wire("loss", "0%", NULL, NULL);
    udp_fates(f, CLOCK_MS, fates, 1000);
    assert_int_equal(count(fates, 'd'), 1000);
    fault_free(f);
}

static void fragments_take_part(void **state)
{
    (void)state;
    struct fault *f = wire("loss", "100%", "rule", "duplicate client:udp#2");
    struct frame first = udp(HOST_CLIENT);
    first.is_fragment = first.more_fragments = true;
    struct frame second = packet(HOST_CLIENT, IPPROTO_UDP, 0);
    second.is_fragment = true;
    second.fragment_offset = 1480;
    assert_int_equal(decide(f, HOST_CLIENT, first, 0).fate, FATE_LOST);
    assert_int_equal(decide(f, HOST_CLIENT, second, 0).fate, FATE_DUPLICATED);
    assert_int_equal(decide(f, HOST_CLIENT, second, 0).fate, FATE_LOST);
    fault_free(f);
}

static void jitter_stays_in_its_bounds(void **state)
{
    (void)state;
    struct fault *f = wire("jitter", "5ms", NULL, NULL);
    uint64_t least = UINT64_MAX, most = 0, earlier = 0;
    unsigned overtaken = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        struct fault_verdict v =
            decide(f, HOST_CLIENT, udp(HOST_CLIENT), i * CLOCK_MS);
        uint64_t delay = v.due_ns - i * CLOCK_MS;
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
        overtaken += v.due_ns < earlier;
        earlier = v.due_ns;
    }
    assert_in_range(least, 15 * CLOCK_MS, 15 * CLOCK_MS + CLOCK_MS / 10);
    assert_in_range(most, 25 * CLOCK_MS - CLOCK_MS / 10, 25 * CLOCK_MS);
    assert_true(overtaken > 100);
    fault_free(f);
    /* More jitter than delay: never before it was sent. */
    f = wire("delay", "1ms", "jitter", "5ms");
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(decide(f, HOST_CLIENT, udp(HOST_CLIENT), 7).due_ns >= 7);
    fault_free(f);
}

static void reordered_frames_go_at_once(void **state)
{
    (void)state;
    struct fault *f = wire("reorder", "25%", NULL, NULL);
    unsigned early = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct fault_verdict v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0);
        if (v.due_ns == 0) {
            assert_string_equal(v.by, "reorder");
            early++;
        } else {
            assert_int_equal(v.due_ns, 20 * CLOCK_MS);
            assert_string_equal(v.by, "");
        }
    }
    assert_in_range(early, 205, 295);
    fault_free(f);
}

/* 100 bytes at 800 kbit/s take 1 ms. */
static void a_rate_takes_its_time(void **state)
{
    (void)state;
    struct fault *f = wire("rate", "800kbit", "queue", "3");
    for (uint64_t i = 0; i < 4; i++) {
        struct fault_verdict v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0);
        assert_int_equal(v.fate, FATE_DELIVERED);
        assert_int_equal(v.due_ns, 20 * CLOCK_MS + (i + 1) * CLOCK_MS);
    }
    /* One is being sent and three wait: the next finds the queue full. */
    struct fault_verdict v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0);
    assert_int_equal(v.fate, FATE_LOST);
    assert_string_equal(v.by, "queue");
    /* A place is free again when the first has left; the server's direction
     * has a queue of its own. */
    v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), CLOCK_MS);
    assert_int_equal(v.due_ns, 25 * CLOCK_MS);
    v = decide(f, HOST_SERVER, udp(HOST_SERVER), CLOCK_MS);
    assert_int_equal(v.due_ns, 22 * CLOCK_MS);
    /* After a pause nothing waits. */
    v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), CLOCK_S);
    assert_int_equal(v.due_ns, CLOCK_S + 21 * CLOCK_MS);
    fault_free(f);
}

static void a_queue_may_be_at_its_largest(void **state)
{
    (void)state;
    struct fault *f = wire("rate", "1kbit", "queue", "10000");
    for (unsigned i = 0; i < FAULT_QUEUE + 1; i++)
        assert_int_equal(decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0).fate,
                         FATE_DELIVERED);
    assert_int_equal(decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0).fate,
                     FATE_LOST);
    fault_free(f);
}

static void swap_changes_places_and_never_starves(void **state)
{
    (void)state;
    struct fault *f = wire("rule", "swap client:udp#1-3", NULL, NULL);
    struct fault_verdict v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0);
    assert_true(v.held);
    assert_int_equal(v.due_ns, 20 * CLOCK_MS + FAULT_HOLD_NS);
    /* The other side does not let it go; the next of its own side does, and
     * is not held itself. */
    v = decide(f, HOST_SERVER, udp(HOST_SERVER), 1);
    assert_int_equal(v.release_ns, 0);
    v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 2);
    assert_false(v.held);
    assert_int_equal(v.due_ns, 20 * CLOCK_MS + 2);
    assert_int_equal(v.release_ns, v.due_ns + 1);
    /* One that waited in vain has gone by itself. */
    v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 3);
    assert_true(v.held);
    v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), v.due_ns);
    assert_int_equal(v.release_ns, 0);
    fault_free(f);
}

static void a_lost_frame_does_not_count_as_passing(void **state)
{
    (void)state;
    struct fault *f =
        wire("rule", "swap client:udp#1", "rule", "drop client:udp#2");
    assert_true(decide(f, HOST_CLIENT, udp(HOST_CLIENT), 0).held);
    assert_int_equal(decide(f, HOST_CLIENT, udp(HOST_CLIENT), 1).release_ns, 0);
    assert_true(decide(f, HOST_CLIENT, udp(HOST_CLIENT), 2).release_ns > 0);
    fault_free(f);
}

/* The cable is cut at the client: what has left the client arrives, what is
 * still on its way to it does not. */
static void a_blackhole_swallows_all(void **state)
{
    (void)state;
    struct fault *f = wire("blackhole", "client@2s", NULL, NULL);
    uint64_t before = 2 * CLOCK_S - 10 * CLOCK_MS;
    struct fault_verdict v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), before);
    assert_int_equal(v.fate, FATE_DELIVERED);
    v = decide(f, HOST_SERVER, udp(HOST_SERVER), before);
    assert_int_equal(v.fate, FATE_LOST);
    assert_string_equal(v.by, "blackhole");
    v = decide(f, HOST_CLIENT, udp(HOST_CLIENT), 2 * CLOCK_S);
    assert_string_equal(v.by, "blackhole");
    fault_free(f);
}

/* Corruption, on real bytes: data of 6 B by TCP, and by UDP. */
static const char *const packets[] = {
    "02000000000202000000000108004500003a12344000400614760a0900010a090002"
    "9c402328000003e9000007d1801801f63b8c00000101080a0001b2070003640e6865"
    "6c6c6f0a",
    "02000000000202000000000108004500002212344000401114830a0900010a090002"
    "82f82328000e01c168656c6c6f0a000000000000000000000000",
};

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;
    for (unsigned byte; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
        bytes[n] = (uint8_t)byte;
    return n;
}

static void a_checksum_catches_every_flipped_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(packets); i++) {
        struct fault *f = wire("corrupt", "100%", NULL, NULL);
        uint8_t bytes[128];
        size_t len = from_hex(packets[i], bytes);
        struct frame good;
        frame_decode(bytes, len, len, &good);
        assert_int_equal(good.transport_checksum, CHECKSUM_GOOD);
        for (unsigned n = 0; n < 2000; n++) {
            struct fault_verdict v = decide(f, HOST_CLIENT, good, 0);
            assert_int_equal(v.fate, FATE_CORRUPTED);
            assert_string_equal(v.by, "corrupt");
            uint8_t copy[128];
            struct frame bad;
            memcpy(copy, bytes, len);
            copy[(size_t)(good.transport - bytes) + v.flip_at] ^= v.flip_mask;
            frame_decode(copy, len, len, &bad);
            assert_int_equal(bad.transport_checksum, CHECKSUM_BAD);
            assert_int_equal(bad.payload_len, good.payload_len);
        }
        fault_free(f);
    }
}

static void what_carries_nothing_cannot_be_corrupted(void **state)
{
    (void)state;
    struct fault *f = wire("corrupt", "100%", NULL, NULL);
    struct fault_verdict v =
        decide(f, HOST_CLIENT, (struct frame){.kind = FRAME_ARP}, 0);
    assert_int_equal(v.fate, FATE_DELIVERED);
    assert_string_equal(v.by, "");
    fault_free(f);
}

/* Connections. */

static void flows_know_where_numbers_began(void **state)
{
    (void)state;
    static struct flow_table t;
    struct frame syn = tcp(HOST_CLIENT, TCP_SYN, 100, 0, 0);
    struct frame synack = tcp(HOST_SERVER, TCP_SYN | TCP_ACK, 500, 101, 0);
    struct frame other = tcp(HOST_SERVER, TCP_ACK, 77, 33, 5);
    other.destination = end(0x0a090001, 40001);

    const struct flow *flow = flow_find(&t, HOST_CLIENT, &syn);
    assert_int_equal(flow->number, 1);
    assert_true(flow->known[HOST_CLIENT]);
    flow = flow_find(&t, HOST_SERVER, &synack);
    assert_int_equal(flow->number, 1);
    assert_int_equal(flow->isn[HOST_CLIENT], 100);
    assert_int_equal(flow->isn[HOST_SERVER], 500);
    /* One whose beginning was not seen */
    flow = flow_find(&t, HOST_SERVER, &other);
    assert_int_equal(flow->number, 2);
    assert_false(flow->known[HOST_SERVER]);
    assert_int_equal(flow->isn[HOST_SERVER], 76);
    assert_int_equal(flow->isn[HOST_CLIENT], 32);
    /* The SYN again is the same connection; another SYN is a new one. */
    assert_int_equal(flow_find(&t, HOST_CLIENT, &syn)->number, 1);
    syn.seq = 9100;
    flow = flow_find(&t, HOST_CLIENT, &syn);
    assert_int_equal(flow->number, 3);
    assert_false(flow->known[HOST_SERVER]);
}

static void flows_forget_the_oldest(void **state)
{
    (void)state;
    static struct flow_table t;
    struct frame f = tcp(HOST_CLIENT, TCP_SYN, 100, 0, 0);
    for (unsigned port = 1; port < 20000; port++) {
        f.source = end(0x0a090001, (uint16_t)port);
        assert_int_equal(flow_find(&t, HOST_CLIENT, &f)->number, port);
    }
    assert_int_equal(flow_find(&t, HOST_CLIENT, &f)->number, 19999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rules),
        cmocka_unit_test(refuses_rules_by_the_word),
        cmocka_unit_test(reads_options_for_each_direction),
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(refuses_settings_without_effect),
        cmocka_unit_test(tells_kinds_apart),
        cmocka_unit_test(a_rule_hits_exactly_its_frame),
        cmocka_unit_test(a_rule_delays),
        cmocka_unit_test(the_same_seed_gives_the_same_fates),
        cmocka_unit_test(tcp_fates_depend_on_the_segment_alone),
        cmocka_unit_test(shares_come_out_right),
        cmocka_unit_test(fragments_take_part),
        cmocka_unit_test(jitter_stays_in_its_bounds),
        cmocka_unit_test(reordered_frames_go_at_once),
        cmocka_unit_test(a_rate_takes_its_time),
        cmocka_unit_test(a_queue_may_be_at_its_largest),
        cmocka_unit_test(swap_changes_places_and_never_starves),
        cmocka_unit_test(a_lost_frame_does_not_count_as_passing),
        cmocka_unit_test(a_blackhole_swallows_all),
        cmocka_unit_test(a_checksum_catches_every_flipped_bit),
        cmocka_unit_test(what_carries_nothing_cannot_be_corrupted),
        cmocka_unit_test(flows_know_where_numbers_began),
        cmocka_unit_test(flows_forget_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
