/* SPDX-License-Identifier: MIT
 *
 * test_ladder: the picture, row by row. Each scene is a list of events made by
 * hand, in any order; what comes out must be the text in tests/golden, which
 * is the picture as a reader sees it. With WIRELAB_GOLDEN=write in the
 * environment the golden files are written instead: then read them.
 * Read next: test_list.c.
 */
#include "ladder.h"
#include "text.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CLIENT HOST_CLIENT
#define SERVER HOST_SERVER
#define MS(t) ((uint64_t)((t)*1e6 + 0.5))
#define START 500.0 /* when the client begins, on the lab's clock, in ms */
#define EVENTS 4096

#define ISN_CLIENT 544415860U
#define ISN_SERVER 3666462009U

/* A scene: its events, and what it looked like. */
struct scene {
    struct event *event;
    size_t count;
    uint64_t number[HOST_COUNT]; /* of the last frame of each */
    uint16_t client_port;
    uint64_t begin_ns; /* of the call that waits */
    struct ladder_options ladder;
    struct text_options text;
    char *out;
    size_t out_size;
    FILE *stream;
    unsigned width; /* of the widest line */
};

static struct addr at(enum host_id host, uint16_t port)
{
    struct addr a = {.len = sizeof a.in};
    a.in.sin_family = AF_INET;
    a.in.sin_port = htons(port);
    a.in.sin_addr.s_addr = htonl(0x0a090001 + host);
    return a;
}

static void begin(struct scene *s)
{
    *s = (struct scene){.client_port = 33528};
    s->event = calloc(EVENTS, sizeof *s->event);
    assert_non_null(s->event);
    s->ladder.lanes = LANE_DEFAULT;
    s->ladder.delay_ns = MS(20);
    s->text.columns = 80;
    s->text.wire = "20 ms each way";
    s->text.words.host[CLIENT] = at(CLIENT, 0);
    s->text.words.host[SERVER] = at(SERVER, 0);
}

static struct event *add(struct scene *s, enum event_kind kind,
                         enum host_id host, double t)
{
    assert_true(s->count < EVENTS);
    struct event *e = &s->event[s->count++];
    *e = (struct event){.kind = kind, .host = host, .t_ns = MS(START + t)};
    e->pid = 100 + host;
    return e;
}

/* --- calls -------------------------------------------------------------- */

static struct event *call(struct scene *s, enum host_id host, double t,
                          enum call_id id, int fd, long result)
{
    struct event *e = add(s, EVENT_CALL, host, t);
    e->call = (struct call){.id = id,
                            .fd = fd,
                            .returned = true,
                            .proto = IPPROTO_TCP,
                            .result = result};
    e->call.begin_ns = e->t_ns;
    e->call.end_ns = e->t_ns + 50000;
    return e;
}

static void tcp_socket(struct scene *s, enum host_id host, double t, int fd)
{
    call(s, host, t, CALL_SOCKET, -1, fd);
}

static void bind_port(struct scene *s, double t, int fd, uint16_t port)
{
    call(s, SERVER, t, CALL_BIND, fd, 0)->call.addr = at(SERVER, port);
}

static struct call *waits(struct scene *s, enum host_id host, double t,
                          enum call_id id, int fd)
{
    struct event *e = call(s, host, t, id, fd, 0);
    e->call.returned = false;
    s->begin_ns = e->call.begin_ns;
    return &e->call;
}

static struct call *returns(struct scene *s, enum host_id host, double t,
                            enum call_id id, int fd, long result)
{
    struct event *e = call(s, host, t, id, fd, result);
    e->call.begin_ns = 0;
    e->call.end_ns = e->t_ns;
    e->call.size = 65536;
    return &e->call;
}

static void sends(struct scene *s, enum host_id host, double t, int fd,
                  size_t size)
{
    call(s, host, t, CALL_SEND, fd, (long)size)->call.size = size;
}

static void receives(struct scene *s, enum host_id host, double t, int fd,
                     const char *data)
{
    struct call *c = returns(s, host, t, CALL_RECV, fd, (long)strlen(data));
    c->data = data;
    c->data_len = strlen(data);
}

static void fails(struct call *c, int error)
{
    c->result = -1;
    c->error = error;
}

/* --- frames ------------------------------------------------------------- */

static enum host_id other(enum host_id h)
{
    return h == CLIENT ? SERVER : CLIENT;
}

static struct event_frame *leaves(struct scene *s, enum host_id from, double t,
                                  double lands)
{
    struct event *e = add(s, EVENT_SENT, from, t);
    e->frame.from = from;
    e->frame.number = ++s->number[from];
    e->frame.due_ns = MS(START + lands);
    e->frame.isn_known[CLIENT] = e->frame.isn_known[SERVER] = true;
    e->frame.isn[CLIENT] = ISN_CLIENT;
    e->frame.isn[SERVER] = ISN_SERVER;
    e->frame.frame.source = at(from, from == CLIENT ? s->client_port : 9000);
    e->frame.frame.destination =
        at(other(from), from == CLIENT ? 9000 : s->client_port);
    return &e->frame;
}

static struct event_frame *lands(struct scene *s, const struct event_frame *f,
                                 double t)
{
    struct event *e = add(s, EVENT_RECEIVED, other(f->from), t);
    e->frame = *f;
    return &e->frame;
}

/* Two events: a segment's departure, which is returned, and its arrival. */
static struct event *segment(struct scene *s, enum host_id from, double t,
                             double arrives, uint8_t flags, uint32_t seq,
                             uint32_t ack, size_t len)
{
    bool c = from == CLIENT;
    struct event_frame *f = leaves(s, from, t, arrives);
    f->frame.kind = FRAME_TCP;
    f->frame.flags = flags;
    f->frame.seq = (c ? ISN_CLIENT : ISN_SERVER) + seq;
    if ((flags & TCP_ACK) != 0)
        f->frame.ack = (c ? ISN_SERVER : ISN_CLIENT) + ack;
    f->frame.payload_len = len;
    f->frame.window = (flags & TCP_SYN) != 0 ? (c ? 64240 : 65160) : 64;
    f->window_bytes = (flags & TCP_SYN) != 0 ? f->frame.window : 65536;
    f->frame.window_scale = (flags & TCP_SYN) != 0 ? 10 : -1;
    f->frame.mss = (flags & TCP_SYN) != 0 ? 1460 : 0;
    lands(s, f, arrives);
    return &s->event[s->count - 2];
}

static void datagram(struct scene *s, enum host_id from, double t,
                     double arrives, size_t len)
{
    struct event_frame *f = leaves(s, from, t, arrives);
    f->frame.kind = FRAME_UDP;
    f->frame.payload_len = len;
    lands(s, f, arrives);
}

/* The last segment is lost: its arrival is taken back. */
static void lose(struct scene *s, const char *by)
{
    s->count--;
    struct event_frame *f = &s->event[s->count - 1].frame;
    f->fate = FATE_LOST;
    snprintf(f->by, sizeof f->by, "%s", by);
}

static void state(struct scene *s, enum host_id host, double t,
                  enum tcp_state to)
{
    struct event *e = add(s, EVENT_STATE, host, t);
    uint16_t client = s->client_port;
    e->state.to = to;
    e->state.local = at(host, host == CLIENT ? client : 9000);
    if (to != TCP_STATE_LISTEN)
        e->state.peer = at(other(host), host == CLIENT ? 9000 : client);
}

/* --- the picture -------------------------------------------------------- */

static void keep_line(const char *line, void *scene)
{
    struct scene *s = scene;
    size_t len = strlen(line);
    assert_true(len == 0 || line[len - 1] != ' ');
    if (s->text.utf8 || s->text.colour)
        len = 1; /* bytes are not columns */
    if (len > s->width)
        s->width = (unsigned)len;
    fprintf(s->stream, "%s\n", line);
}

static int by_time(const void *a, const void *b)
{
    const struct event *const *x = a, *const *y = b;
    if ((*x)->t_ns != (*y)->t_ns)
        return (*x)->t_ns < (*y)->t_ns ? -1 : 1;
    return *x < *y ? -1 : *x > *y; /* as they were made */
}

/* Gives the events in the order of time, and keeps what comes out. */
static void draw(struct scene *s)
{
    const struct event **order = calloc(s->count + 1, sizeof *order);
    assert_non_null(order);
    for (size_t i = 0; i < s->count; i++)
        order[i] = &s->event[i];
    qsort(order, s->count, sizeof *order, by_time);
    s->stream = open_memstream(&s->out, &s->out_size);
    assert_non_null(s->stream);
    struct text *text = text_new(&s->text, keep_line, s);
    struct ladder *l = ladder_new(&s->ladder, text_row, text);
    assert_non_null(text);
    assert_non_null(l);
    text_head(text);
    for (size_t i = 0; i < s->count; i++)
        ladder_event(order[i], l);
    ladder_finish(l);
    assert_true(ladder_complete(l));
    ladder_free(l);
    text_free(text);
    free(order);
    assert_int_equal(fclose(s->stream), 0);
    assert_in_range(s->width, 1, s->text.columns < 110 ? 79 : s->text.columns);
}

static void end(struct scene *s)
{
    free(s->out);
    free(s->event);
}

static void check_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        assert_true(*text == '\n' || (*text >= ' ' && *text <= '~'));
}

/* Draws the scene and compares it with tests/golden/NAME.txt. */
static void check(struct scene *s, const char *name)
{
    char path[128], golden[65536];
    const char *mode = getenv("WIRELAB_GOLDEN");
    bool writes = mode != NULL && strcmp(mode, "write") == 0;
    snprintf(path, sizeof path, "tests/golden/%s.txt", name);
    draw(s);
    if (!s->text.utf8 && !s->text.colour)
        check_ascii(s->out);
    FILE *f = fopen(path, writes ? "w" : "r");
    if (f == NULL)
        fail_msg("%s: %s; run this from the top directory", path,
                 strerror(errno));
    if (writes) {
        fputs(s->out, f);
    } else {
        golden[fread(golden, 1, sizeof golden - 1, f)] = '\0';
        if (strcmp(golden, s->out) != 0)
            fprintf(stderr, "--- %s, but drawn:\n%s", path, s->out);
        assert_string_equal(s->out, golden);
    }
    fclose(f);
    end(s);
}

/* --- scenes ------------------------------------------------------------- */

static void tcp_setup(struct scene *s)
{
    tcp_socket(s, SERVER, -20, 3);
    bind_port(s, -19.9, 3, 9000);
    call(s, SERVER, -19.8, CALL_LISTEN, 3, 0);
    state(s, SERVER, -19.7, TCP_STATE_LISTEN);
    waits(s, SERVER, -19.6, CALL_ACCEPT, 3);
}

static void tcp_connect(struct scene *s)
{
    tcp_socket(s, CLIENT, 0, 3);
    waits(s, CLIENT, 0.06, CALL_CONNECT, 3)->addr = at(SERVER, 9000);
    state(s, CLIENT, 0.1, TCP_STATE_SYN_SENT);
    segment(s, CLIENT, 0.1, 20.3, TCP_SYN, 0, 0, 0);
    state(s, SERVER, 20.3, TCP_STATE_SYN_RCVD);
    segment(s, SERVER, 20.4, 40.7, TCP_SYN | TCP_ACK, 0, 1, 0);
    state(s, CLIENT, 40.7, TCP_STATE_ESTABLISHED);
    segment(s, CLIENT, 40.8, 61.0, TCP_ACK, 1, 1, 0);
    state(s, SERVER, 61.0, TCP_STATE_ESTABLISHED);
    returns(s, CLIENT, 40.9, CALL_CONNECT, 3, 0)->addr = at(SERVER, 9000);
}

static void tcp_accept(struct scene *s, double t)
{
    returns(s, SERVER, t, CALL_ACCEPT, 3, 4)->addr = at(CLIENT, s->client_port);
}

static void tcp_hello(struct scene *s)
{
    sends(s, CLIENT, 41.1, 3, 6);
    segment(s, CLIENT, 41.3, 61.5, TCP_PSH | TCP_ACK, 1, 1, 6);
    segment(s, SERVER, 61.51, 81.8, TCP_ACK, 1, 7, 0);
    receives(s, SERVER, 61.6, 4, "hello\n");
    sends(s, SERVER, 61.7, 4, 6);
    segment(s, SERVER, 61.8, 81.9, TCP_PSH | TCP_ACK, 1, 7, 6);
    segment(s, CLIENT, 81.92, 102.2, TCP_ACK, 7, 7, 0);
    receives(s, CLIENT, 82.0, 3, "hello\n");
}

/* picture.md's demo: client and server close one after the other. */
static void tcp_close_four(struct scene *s)
{
    call(s, CLIENT, 82.1, CALL_SHUTDOWN, 3, 0)->call.arg[0] = SHUT_WR;
    segment(s, CLIENT, 82.2, 102.3, TCP_FIN | TCP_ACK, 7, 7, 0);
    state(s, CLIENT, 82.2, TCP_STATE_FIN_WAIT_1);
    state(s, SERVER, 102.3, TCP_STATE_CLOSE_WAIT);
    returns(s, SERVER, 102.4, CALL_RECV, 4, 0);
    segment(s, SERVER, 144.0, 164.1, TCP_ACK, 7, 8, 0);
    state(s, CLIENT, 164.1, TCP_STATE_FIN_WAIT_2);
    call(s, SERVER, 202.97, CALL_CLOSE, 4, 0);
    segment(s, SERVER, 203.0, 223.2, TCP_FIN | TCP_ACK, 7, 8, 0);
    state(s, SERVER, 203.0, TCP_STATE_LAST_ACK);
    state(s, CLIENT, 223.2, TCP_STATE_TIME_WAIT);
    segment(s, CLIENT, 223.4, 243.6, TCP_ACK, 8, 8, 0);
    state(s, SERVER, 243.6, TCP_STATE_NONE);
    returns(s, CLIENT, 223.5, CALL_RECV, 3, 0);
    call(s, CLIENT, 223.6, CALL_CLOSE, 3, 0);
}

static void tcp_demo(struct scene *s)
{
    begin(s);
    tcp_setup(s);
    tcp_connect(s);
    tcp_accept(s, 61.04);
    tcp_hello(s);
    tcp_close_four(s);
}

static void test_demo(void **unused)
{
    struct scene s;
    (void)unused;
    tcp_demo(&s);
    check(&s, "ladder-demo");
}

static void test_wide(void **unused)
{
    struct scene s;
    (void)unused;
    tcp_demo(&s);
    s.text.columns = 110;
    check(&s, "ladder-wide");
}

static void test_utf8(void **unused)
{
    struct scene s;
    (void)unused;
    tcp_demo(&s);
    s.text.utf8 = s.text.colour = true;
    s.ladder.has_only = true;
    s.ladder.only = SECTION_CLOSE;
    s.width = 0;
    draw(&s);
    assert_non_null(strstr(s.out, "\xe2\x94\x82"));
    assert_non_null(strstr(s.out, "\xe2\x94\x80\xe2\x86\x92"));
    assert_non_null(strstr(s.out, "\x1b[36m[CLOSE_WAIT]\x1b[0m"));
    end(&s);
}

static void test_numbers(void **unused)
{
    struct scene s;
    (void)unused;
    tcp_demo(&s);
    s.text.words.numbers = WORDS_RELATIVE;
    s.ladder.has_only = true;
    s.ladder.only = SECTION_DATA;
    check(&s, "ladder-relative");
    tcp_demo(&s);
    s.text.words.numbers = WORDS_ABSOLUTE;
    s.ladder.has_only = true;
    s.ladder.only = SECTION_HANDSHAKE;
    check(&s, "ladder-absolute");
}

/* A program that is woken late returns from accept when data is there: its row
 * stands among the data, but the handshake without it would lack its end. */
static void test_late_accept(void **unused)
{
    struct scene s;
    (void)unused;
    for (int only = SECTION_HANDSHAKE; only <= SECTION_CLOSE; only++) {
        begin(&s);
        tcp_setup(&s);
        tcp_connect(&s);
        tcp_hello(&s);
        tcp_accept(&s, 61.7);
        tcp_close_four(&s);
        s.ladder.has_only = true;
        s.ladder.only = (enum section)only;
        draw(&s);
        bool shown = strstr(s.out, "...accept=4           61.7\n") != NULL;
        assert_int_equal(shown, only != SECTION_CLOSE);
        end(&s);
    }
}

static void test_lanes(void **unused)
{
    struct scene s;
    (void)unused;
    tcp_demo(&s);
    s.ladder.lanes = LANE_WIRE;
    check(&s, "ladder-lane-wire");
    tcp_demo(&s);
    s.ladder.lanes = LANE_CALLS | LANE_STATES;
    check(&s, "ladder-lanes-without-wire");
}

static void test_explain(void **unused)
{
    struct scene s;
    (void)unused;
    tcp_demo(&s);
    s.text.explain = s.ladder.explain = true;
    check(&s, "ladder-explain");
}

/* The server closes before its kernel acknowledged the client's FIN. */
static void test_close_three(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    tcp_hello(&s);
    call(&s, CLIENT, 82.1, CALL_CLOSE, 3, 0);
    segment(&s, CLIENT, 82.2, 102.3, TCP_FIN | TCP_ACK, 7, 7, 0);
    state(&s, CLIENT, 82.2, TCP_STATE_FIN_WAIT_1);
    state(&s, SERVER, 102.3, TCP_STATE_CLOSE_WAIT);
    returns(&s, SERVER, 102.4, CALL_RECV, 4, 0);
    call(&s, SERVER, 102.5, CALL_CLOSE, 4, 0);
    segment(&s, SERVER, 102.6, 122.8, TCP_FIN | TCP_ACK, 7, 8, 0);
    state(&s, SERVER, 102.6, TCP_STATE_LAST_ACK);
    state(&s, CLIENT, 122.8, TCP_STATE_TIME_WAIT);
    segment(&s, CLIENT, 122.9, 143.0, TCP_ACK, 8, 8, 0);
    state(&s, SERVER, 143.0, TCP_STATE_NONE);
    check(&s, "ladder-close-three");
}

static void test_refused(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_socket(&s, CLIENT, 0, 3);
    waits(&s, CLIENT, 0.06, CALL_CONNECT, 3)->addr = at(SERVER, 9000);
    segment(&s, CLIENT, 0.1, 20.3, TCP_SYN, 0, 0, 0);
    state(&s, CLIENT, 0.1, TCP_STATE_SYN_SENT);
    struct event *rst =
        segment(&s, SERVER, 20.32, 40.5, TCP_RST | TCP_ACK, 0, 1, 0);
    rst[0].frame.frame.seq = rst[1].frame.frame.seq = 0;
    rst[0].frame.isn_known[SERVER] = rst[1].frame.isn_known[SERVER] = false;
    state(&s, CLIENT, 40.5, TCP_STATE_NONE);
    fails(returns(&s, CLIENT, 40.6, CALL_CONNECT, 3, -1), ECONNREFUSED);
    call(&s, CLIENT, 40.7, CALL_CLOSE, 3, 0);
    struct event *e = add(&s, EVENT_OUTPUT, CLIENT, 40.8);
    e->output.stream = 2;
    e->output.text = "tcp_client: connect 10.9.0.2:9000: Connection refused";
    e = add(&s, EVENT_EXIT, CLIENT, 40.9);
    e->exit.status = 4 << 8;
    check(&s, "ladder-refused");
}

/* The first data segment is lost, and sent again by the timer. */
static void test_lost(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    sends(&s, CLIENT, 41.1, 3, 6);
    segment(&s, CLIENT, 41.3, 61.5, TCP_PSH | TCP_ACK, 1, 1, 6);
    lose(&s, "rule 1");
    segment(&s, CLIENT, 287.3, 307.4, TCP_PSH | TCP_ACK, 1, 1, 6)->frame.again =
        AGAIN_TIMEOUT;
    segment(&s, SERVER, 307.45, 327.6, TCP_ACK, 1, 7, 0);
    receives(&s, SERVER, 307.5, 4, "hello\n");
    segment(&s, SERVER, 1307.5, 1327.6, TCP_PSH | TCP_ACK, 1, 7, 6);
    lose(&s, "loss");
    check(&s, "ladder-lost");
}

/* Both close at once: the FINs cross, and one of them takes two rows. */
static void test_crossing(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    call(&s, CLIENT, 82.1, CALL_CLOSE, 3, 0);
    segment(&s, CLIENT, 82.2, 102.3, TCP_FIN | TCP_ACK, 1, 1, 0);
    state(&s, CLIENT, 82.2, TCP_STATE_FIN_WAIT_1);
    call(&s, SERVER, 90.1, CALL_CLOSE, 4, 0);
    segment(&s, SERVER, 90.2, 110.4, TCP_FIN | TCP_ACK, 1, 1, 0);
    state(&s, SERVER, 90.2, TCP_STATE_FIN_WAIT_1);
    state(&s, SERVER, 102.3, TCP_STATE_CLOSING);
    segment(&s, SERVER, 102.35, 122.5, TCP_ACK, 2, 2, 0);
    state(&s, CLIENT, 110.4, TCP_STATE_CLOSING);
    segment(&s, CLIENT, 110.45, 130.6, TCP_ACK, 2, 2, 0);
    state(&s, CLIENT, 122.5, TCP_STATE_TIME_WAIT);
    state(&s, SERVER, 130.6, TCP_STATE_TIME_WAIT);
    check(&s, "ladder-crossing");
}

/* A window full of data, of which two overtake, and their acknowledgements. */
static void test_bulk(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    sends(&s, CLIENT, 41.1, 3, 57920);
    for (unsigned i = 0; i < 40; i++) {
        double t = 41.3 + 0.2 * i, lands = t + 20.2 + (i == 4 ? 0.3 : 0);
        segment(&s, CLIENT, t, lands, TCP_ACK, 1 + 1448 * i, 1, 1448);
        if (i % 2 == 1)
            segment(&s, SERVER, lands + 0.05, lands + 20.2, TCP_ACK, 1,
                    1 + 1448 * (i + 1), 0);
    }
    call(&s, CLIENT, 182.1, CALL_CLOSE, 3, 0);
    segment(&s, CLIENT, 182.2, 202.3, TCP_FIN | TCP_ACK, 57921, 1, 0);
    state(&s, CLIENT, 182.2, TCP_STATE_FIN_WAIT_1);
    check(&s, "ladder-bulk");
}

static void shut_window(struct event *segment)
{
    for (int i = 0; i < 2; i++)
        segment[i].frame.frame.window = segment[i].frame.window_bytes = 0;
}

static void test_zero_window(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    segment(&s, CLIENT, 41.3, 61.5, TCP_ACK, 1, 1, 1448);
    shut_window(segment(&s, SERVER, 61.6, 81.8, TCP_ACK, 1, 1449, 0));
    segment(&s, CLIENT, 281.9, 302, TCP_ACK, 1448, 1, 0);
    shut_window(segment(&s, SERVER, 302.1, 322.2, TCP_ACK, 1, 1449, 0));
    segment(&s, SERVER, 400, 420.1, TCP_ACK, 1, 1449, 0);
    check(&s, "ladder-zero-window");
}

/* One segment arrives twice, another with a flipped bit. */
static void test_damage(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    struct event *e =
        segment(&s, CLIENT, 41.3, 61.5, TCP_PSH | TCP_ACK, 1, 1, 6);
    e->frame.fate = FATE_DUPLICATED;
    lands(&s, &e->frame, 61.6)->copy = 1;
    segment(&s, SERVER, 61.51, 81.8, TCP_ACK, 1, 7, 0);
    segment(&s, SERVER, 61.61, 81.9, TCP_ACK, 1, 7, 0);
    e = segment(&s, CLIENT, 91.3, 111.5, TCP_PSH | TCP_ACK, 7, 1, 6);
    e[0].frame.fate = FATE_CORRUPTED;
    e[1].frame.frame.transport_checksum = CHECKSUM_BAD;
    segment(&s, CLIENT, 340.3, 360.5, TCP_PSH | TCP_ACK, 7, 1, 6)->frame.again =
        AGAIN_ACKS;
    check(&s, "ladder-damage");
}

static void test_killed(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    struct event *e = add(&s, EVENT_EXIT, SERVER, 1000.2);
    e->exit.status = SIGKILL;
    segment(&s, SERVER, 1000.1, 1020.3, TCP_FIN | TCP_ACK, 1, 1, 0);
    state(&s, SERVER, 1000.1, TCP_STATE_FIN_WAIT_1);
    state(&s, CLIENT, 1020.3, TCP_STATE_CLOSE_WAIT);
    sends(&s, CLIENT, 1020.5, 3, 6);
    segment(&s, CLIENT, 1020.6, 1040.8, TCP_PSH | TCP_ACK, 1, 2, 6);
    segment(&s, SERVER, 1040.9, 1061.0, TCP_RST, 2, 0, 0);
    state(&s, CLIENT, 1061.0, TCP_STATE_NONE);
    struct call *c = returns(&s, CLIENT, 1061.1, CALL_RECV, 3, -1);
    fails(c, ECONNRESET);
    check(&s, "ladder-killed");
}

/* The server sends its answer and FIN at once, while the ACK is on its way. */
static void test_fin_with_data(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    sends(&s, CLIENT, 41.1, 3, 75);
    segment(&s, CLIENT, 41.3, 61.5, TCP_PSH | TCP_ACK, 1, 1, 75);
    receives(&s, SERVER, 61.6, 4, "GET / HTTP/1.0\r\n\r\n");
    sends(&s, SERVER, 61.7, 4, 945);
    call(&s, SERVER, 61.8, CALL_CLOSE, 4, 0);
    segment(&s, SERVER, 61.9, 82.1, TCP_PSH | TCP_FIN | TCP_ACK, 1, 76, 945);
    state(&s, SERVER, 61.9, TCP_STATE_FIN_WAIT_1);
    state(&s, CLIENT, 82.1, TCP_STATE_CLOSE_WAIT);
    call(&s, CLIENT, 82.3, CALL_CLOSE, 3, 0);
    segment(&s, CLIENT, 82.4, 102.5, TCP_FIN | TCP_ACK, 76, 947, 0);
    state(&s, CLIENT, 82.4, TCP_STATE_LAST_ACK);
    state(&s, SERVER, 102.5, TCP_STATE_TIME_WAIT);
    segment(&s, SERVER, 102.6, 122.8, TCP_ACK, 947, 77, 0);
    state(&s, CLIENT, 122.8, TCP_STATE_NONE);
    check(&s, "ladder-fin-with-data");
}

/* Half-close: the echo comes back after the client's FIN has left. */
static void test_half_close(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    sends(&s, CLIENT, 41.1, 3, 6);
    segment(&s, CLIENT, 41.2, 61.4, TCP_PSH | TCP_ACK, 1, 1, 6);
    call(&s, CLIENT, 41.3, CALL_SHUTDOWN, 3, 0)->call.arg[0] = SHUT_WR;
    segment(&s, CLIENT, 41.4, 61.6, TCP_FIN | TCP_ACK, 7, 1, 0);
    state(&s, CLIENT, 41.4, TCP_STATE_FIN_WAIT_1);
    segment(&s, SERVER, 61.45, 81.6, TCP_ACK, 1, 7, 0);
    receives(&s, SERVER, 61.5, 4, "hello\n");
    state(&s, SERVER, 61.6, TCP_STATE_CLOSE_WAIT);
    sends(&s, SERVER, 61.7, 4, 6);
    segment(&s, SERVER, 61.8, 82, TCP_PSH | TCP_ACK, 1, 8, 6);
    state(&s, CLIENT, 82, TCP_STATE_FIN_WAIT_2);
    returns(&s, SERVER, 62, CALL_RECV, 4, 0);
    call(&s, SERVER, 62.1, CALL_CLOSE, 4, 0);
    segment(&s, SERVER, 62.2, 82.4, TCP_FIN | TCP_ACK, 7, 8, 0);
    state(&s, SERVER, 62.2, TCP_STATE_LAST_ACK);
    segment(&s, CLIENT, 82.1, 102.3, TCP_ACK, 8, 7, 0);
    state(&s, CLIENT, 82.4, TCP_STATE_TIME_WAIT);
    segment(&s, CLIENT, 82.5, 102.7, TCP_ACK, 8, 8, 0);
    state(&s, SERVER, 102.7, TCP_STATE_NONE);
    check(&s, "ladder-half-close");
}

/* What programs print is shown, but cannot steer a terminal; a resolver's
 * sockets that never send are no part of it. */
static void test_output(void **unused)
{
    static const char long_line[] =
        "  File \"server.py\", line 8, in <module>: a very long line of a "
        "program that has much to say about what went wrong";
    static const char *const lines[] = {
        "short", "Traceback (most recent call last):", long_line,
        "\x1b[2Jevil\x07 \xe4\xbd\xa0"};
    struct scene s;
    (void)unused;
    begin(&s);
    call(&s, CLIENT, 0, CALL_SOCKET, -1, 5)->call.proto = IPPROTO_UDP;
    struct call *c = &call(&s, CLIENT, 0.1, CALL_CONNECT, 5, 0)->call;
    c->proto = IPPROTO_UDP;
    c->addr = at(SERVER, 0);
    call(&s, CLIENT, 0.2, CALL_CLOSE, 5, 0)->call.proto = IPPROTO_UDP;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        for (int h = 0; h < HOST_COUNT; h++) {
            struct event *e = add(&s, EVENT_OUTPUT, h, 1 + (double)i);
            e->output.stream = 2;
            e->output.text = lines[i];
        }
    }
    add(&s, EVENT_OUTPUT, CLIENT, 9)->output.text = "not asked for";
    add(&s, EVENT_REMARK, CLIENT, 10)->remark =
        "a remark of the lab's own, \x1b[31mlonger than one line can be: so "
        "it goes on in a second one";
    check(&s, "ladder-output");
}

/* --- UDP ---------------------------------------------------------------- */

static void udp_socket(struct scene *s, enum host_id host, double t, int fd)
{
    call(s, host, t, CALL_SOCKET, -1, fd)->call.proto = IPPROTO_UDP;
}

static void sends_to(struct scene *s, enum host_id host, double t, int fd,
                     size_t size, uint16_t port)
{
    struct call *c = &call(s, host, t, CALL_SENDTO, fd, (long)size)->call;
    c->proto = IPPROTO_UDP;
    c->size = size;
    c->addr = at(other(host), port);
}

static void receives_from(struct scene *s, enum host_id host, double t, int fd,
                          const char *data, uint16_t port)
{
    struct call *c = returns(s, host, t, CALL_RECVFROM, fd, (long)strlen(data));
    c->proto = IPPROTO_UDP;
    c->data = data;
    c->data_len = strlen(data);
    c->addr = at(other(host), port);
}

static void waits_for(struct scene *s, enum host_id host, double t, int fd)
{
    waits(s, host, t, CALL_RECVFROM, fd)->proto = IPPROTO_UDP;
}

static void udp_setup(struct scene *s)
{
    udp_socket(s, SERVER, -20, 3);
    call(s, SERVER, -19.9, CALL_BIND, 3, 0)->call.addr = at(SERVER, 9000);
    s->event[s->count - 1].call.proto = IPPROTO_UDP;
    waits_for(s, SERVER, -19.8, 3);
}

static void test_udp(void **unused)
{
    static const struct ladder_totals tcp = {.segments = 11,
                                             .reply_ns = MS(82)};
    struct scene s;
    (void)unused;
    begin(&s);
    s.ladder.beside = &tcp;
    udp_setup(&s);
    udp_socket(&s, CLIENT, 0, 3);
    sends_to(&s, CLIENT, 0.06, 3, 6, 9000);
    datagram(&s, CLIENT, 0.1, 20.3, 6);
    waits_for(&s, CLIENT, 0.12, 3);
    receives_from(&s, SERVER, 20.32, 3, "hello\n", 33528);
    sends_to(&s, SERVER, 20.36, 3, 6, 33528);
    datagram(&s, SERVER, 20.4, 40.6, 6);
    receives_from(&s, CLIENT, 40.64, 3, "hello\n", 9000);
    check(&s, "ladder-udp");
}

static void test_udp_lost(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    udp_setup(&s);
    udp_socket(&s, CLIENT, 0, 3);
    sends_to(&s, CLIENT, 0.06, 3, 6, 9000);
    datagram(&s, CLIENT, 0.1, 20.3, 6);
    lose(&s, "rule 1");
    waits_for(&s, CLIENT, 0.12, 3);
    fails(returns(&s, CLIENT, 1000.2, CALL_RECVFROM, 3, -1), EAGAIN);
    s.event[s.count - 1].call.proto = IPPROTO_UDP;
    check(&s, "ladder-udp-lost");
}

static void test_udp_closed_port(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    udp_socket(&s, CLIENT, 0, 3);
    struct call *c = &call(&s, CLIENT, 0.03, CALL_CONNECT, 3, 0)->call;
    c->proto = IPPROTO_UDP;
    c->addr = at(SERVER, 9000);
    c = &call(&s, CLIENT, 0.06, CALL_SEND, 3, 6)->call;
    c->proto = IPPROTO_UDP;
    c->size = 6;
    datagram(&s, CLIENT, 0.1, 20.3, 6);
    struct event_frame *f = leaves(&s, SERVER, 20.4, 40.6);
    f->frame.kind = FRAME_ICMP;
    f->frame.ip_version = 4;
    f->frame.icmp_type = 3;
    f->frame.icmp_code = 3;
    f->frame.about_protocol = IPPROTO_UDP;
    f->frame.about_source = at(CLIENT, 33528);
    f->frame.about_destination = at(SERVER, 9000);
    lands(&s, f, 40.6);
    fails(returns(&s, CLIENT, 40.7, CALL_RECV, 3, -1), ECONNREFUSED);
    s.event[s.count - 1].call.proto = IPPROTO_UDP;
    check(&s, "ladder-udp-closed-port");
}

/* --- several conversations ---------------------------------------------- */

/* Two TCP clients and a UDP client against one server, each told apart. */
static void test_several(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    s.ladder.several = true;
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    for (size_t i = 0; i < s.count; i++)
        if (s.event[i].host == CLIENT)
            s.event[i].pid = 7;
    s.client_port = 40112;
    size_t first = s.count;
    tcp_connect(&s);
    waits(&s, SERVER, 61.08, CALL_ACCEPT, 3);
    returns(&s, SERVER, 61.4, CALL_ACCEPT, 3, 5)->addr = at(CLIENT, 40112);
    for (; first < s.count; first++)
        s.event[first].t_ns += MS(0.3);
    sends(&s, CLIENT, 41.4, 3, 6);
    segment(&s, CLIENT, 41.6, 61.8, TCP_PSH | TCP_ACK, 1, 1, 6);
    receives(&s, SERVER, 61.9, 5, "hello\n");
    s.client_port = 50001;
    udp_socket(&s, CLIENT, 70, 4);
    sends_to(&s, CLIENT, 70.1, 4, 6, 9000);
    datagram(&s, CLIENT, 70.2, 90.4, 6);
    check(&s, "ladder-several");
}

/* The second connection was not expected. */
static void test_second(void **unused)
{
    struct scene s;
    (void)unused;
    begin(&s);
    tcp_setup(&s);
    tcp_connect(&s);
    tcp_accept(&s, 61.04);
    s.client_port = 40112;
    for (size_t i = 0, n = s.count; i < n; i++) {
        if (s.event[i].host == CLIENT && s.event[i].kind == EVENT_CALL) {
            s.event[s.count] = s.event[i];
            s.event[s.count].t_ns += MS(100);
            s.event[s.count].call.begin_ns += MS(100);
            if (s.event[i].call.id == CALL_SOCKET)
                s.event[s.count].call.result = 4;
            else
                s.event[s.count].call.fd = 4;
            s.count++;
        }
    }
    segment(&s, CLIENT, 100.1, 120.3, TCP_SYN, 0, 0, 0);
    state(&s, CLIENT, 100.1, TCP_STATE_SYN_SENT);
    state(&s, SERVER, 120.3, TCP_STATE_SYN_RCVD);
    segment(&s, SERVER, 120.4, 140.7, TCP_SYN | TCP_ACK, 0, 1, 0);
    check(&s, "ladder-second");
}

/* --- no event is too odd ------------------------------------------------ */

/* Any order, any number, any kind: nothing breaks, and no line is too wide. */
static void test_nonsense(void **unused)
{
    struct scene s;
    unsigned seed = 1;
    (void)unused;
    for (int round = 0; round < 200; round++) {
        tcp_demo(&s);
        for (size_t i = 0; i < s.count; i++) {
            struct event *e = &s.event[i];
            seed = seed * 1103515245 + 12345;
            unsigned dice = seed >> 16 & 63;
            if (dice < 8)
                e->t_ns += (seed >> 8) % MS(100);
            else if (dice < 12)
                e->host = other(e->host);
            else if (dice < 14 && e->kind == EVENT_SENT)
                e->frame.number = seed >> 24;
            else if (dice < 16 && e->kind == EVENT_SENT)
                e->frame.frame.flags = (uint8_t)(seed >> 20);
            else if (dice < 17 && e->kind == EVENT_SENT)
                e->frame.fate = FATE_LOST;
            else if (dice < 19 && e->kind == EVENT_CALL)
                e->call.fd = (int)seed;
        }
        s.text.columns = round % 2 != 0 ? 80 : 110 + (unsigned)round;
        draw(&s);
        check_ascii(s.out);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demo),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_late_accept),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_close_three),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_zero_window),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_fin_with_data),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_udp_lost),
        cmocka_unit_test(test_udp_closed_port),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_second),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
