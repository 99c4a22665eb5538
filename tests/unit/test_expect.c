/* SPDX-License-Identifier: MIT
 *
 * test_expect: expectations, read and held against runs that are written down
 * here as events. First what each run is, then which expectations hold of it,
 * which do not and what is said about them, then what cannot be read.
 */
#include "expect.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Events. Times are in tenths of a millisecond, numbers relative. */

#define C HOST_CLIENT
#define S HOST_SERVER
#define CLIENT_ISN 544415860u
#define SERVER_ISN 4294967290u /* wraps soon */

#define TO_9000                                                                \
    .destination = {.in = {.sin_family = AF_INET, .sin_port = 0x2823},         \
                    .len = sizeof(struct sockaddr_in)}

#define AT(T) .t_ns = (T)*UINT64_C(100000)
#define TCP(FROM, FLAGS, SEQ, ACK, LEN, ...)                                   \
    .frame = {.from = FROM,                                                    \
              .isn = {CLIENT_ISN, SERVER_ISN},                                 \
              .isn_known = {true, true},                                       \
              .frame = {.kind = FRAME_TCP,                                     \
                        .ip_version = 4,                                       \
                        .ip_protocol = IPPROTO_TCP,                            \
                        .flags = FLAGS,                                        \
                        .seq = (FROM == C ? CLIENT_ISN : SERVER_ISN) + (SEQ),  \
                        .ack = (FROM == C ? SERVER_ISN : CLIENT_ISN) + (ACK),  \
                        .payload_len = LEN,                                    \
                        .window_scale = -1,                                    \
                        TO_9000},                                              \
              __VA_ARGS__}
#define SENT(T, FROM, ...)                                                     \
    {                                                                          \
        .kind = EVENT_SENT, .host = FROM, AT(T), TCP(FROM, __VA_ARGS__)        \
    }
#define GOT(T, FROM, ...)                                                      \
    {                                                                          \
        .kind = EVENT_RECEIVED, .host = FROM == C ? S : C, AT(T),              \
        TCP(FROM, __VA_ARGS__)                                                 \
    }
#define PACKET(KIND, T, FROM, ...)                                             \
    {                                                                          \
        .kind = KIND, .host = FROM, AT(T), .frame = {                          \
            .from = FROM,                                                      \
            .frame = {.ip_version = 4, __VA_ARGS__}                            \
        }                                                                      \
    }
#define STATE(T, HOST, FROM_STATE, TO)                                         \
    {                                                                          \
        .kind = EVENT_STATE, .host = HOST, AT(T), .state = {                   \
            .local = {.len = 16},                                              \
            .peer = {.len = 16},                                               \
            .from = TCP_STATE_##FROM_STATE,                                    \
            .to = TCP_STATE_##TO                                               \
        }                                                                      \
    }
#define LISTENS(T)                                                             \
    {                                                                          \
        .kind = EVENT_STATE, .host = S, AT(T), .state = {                      \
            .local = {.len = 16},                                              \
            .to = TCP_STATE_LISTEN                                             \
        }                                                                      \
    }
#define CALL(T, HOST, ID, RESULT, ...)                                         \
    {                                                                          \
        .kind = EVENT_CALL, .host = HOST, AT(T), .call = {                     \
            .id = CALL_##ID,                                                   \
            .returned = true,                                                  \
            .result = RESULT,                                                  \
            __VA_ARGS__                                                        \
        }                                                                      \
    }
#define WAITS(T, HOST, ID)                                                     \
    {                                                                          \
        .kind = EVENT_CALL, .host = HOST, AT(T), .call = {.id = CALL_##ID }    \
    }
#define DATA(TEXT) .data = TEXT, .data_len = sizeof(TEXT) - 1
#define OUTPUT(T, HOST, TEXT)                                                  \
    {                                                                          \
        .kind = EVENT_OUTPUT, .host = HOST, AT(T), .output = {                 \
            .stream = 1,                                                       \
            .text = TEXT                                                       \
        }                                                                      \
    }
#define EXIT(T, HOST, STATUS)                                                  \
    {                                                                          \
        .kind = EVENT_EXIT, .host = HOST, AT(T), .exit = {.status = STATUS }   \
    }
#define REMARK(T, HOST, TEXT)                                                  \
    {                                                                          \
        .kind = EVENT_REMARK, .host = HOST, AT(T), .remark = TEXT              \
    }

#define SYN TCP_SYN
#define SYNACK (TCP_SYN | TCP_ACK)
#define ACK TCP_ACK
#define PSH (TCP_PSH | TCP_ACK)
#define FIN (TCP_FIN | TCP_ACK)

/* The picture's first run: hello, closed by the client, four segments. */
static const struct event hello[] = {
    CALL(0, S, SOCKET, 3),
    CALL(0, S, BIND, 0),
    CALL(0, S, LISTEN, 0),
    LISTENS(0),
    WAITS(0, S, ACCEPT),
    CALL(0, C, SOCKET, 3),
    CALL(0, C, SETSOCKOPT, 0),
    WAITS(1, C, CONNECT),
    SENT(1, C, SYN, 0, 0, 0),
    STATE(1, C, NONE, SYN_SENT),
    PACKET(EVENT_SENT, 2, C, .kind = FRAME_ARP),
    GOT(203, C, SYN, 0, 0, 0),
    STATE(203, S, NONE, SYN_RCVD),
    SENT(204, S, SYNACK, 0, 1, 0),
    GOT(407, S, SYNACK, 0, 1, 0),
    STATE(407, C, SYN_SENT, ESTABLISHED),
    SENT(408, C, ACK, 1, 1, 0),
    CALL(409, C, CONNECT, 0),
    CALL(411, C, SEND, 6, DATA("hello\n")),
    SENT(413, C, PSH, 1, 1, 6),
    GOT(610, C, ACK, 1, 1, 0),
    STATE(610, S, SYN_RCVD, ESTABLISHED),
    CALL(610, S, ACCEPT, 4),
    GOT(615, C, PSH, 1, 1, 6),
    SENT(615, S, ACK, 1, 7, 0),
    CALL(616, S, RECV, 6, DATA("hello\n")),
    CALL(617, S, SEND, 6, DATA("hello\n")),
    GOT(818, S, ACK, 1, 7, 0),
    SENT(818, S, PSH, 1, 7, 6),
    GOT(819, S, PSH, 1, 7, 6),
    SENT(819, C, ACK, 7, 7, 0),
    CALL(820, C, RECV, 6, DATA("hello\n")),
    OUTPUT(820, C, "hello"),
    CALL(821, C, SHUTDOWN, 0),
    SENT(822, C, FIN, 7, 7, 0),
    STATE(822, C, ESTABLISHED, FIN_WAIT_1),
    GOT(1022, C, ACK, 7, 7, 0),
    GOT(1023, C, FIN, 7, 7, 0),
    STATE(1023, S, ESTABLISHED, CLOSE_WAIT),
    CALL(1024, S, RECV, 0),
    REMARK(1440, S, "delayed ACK: Linux waited for data to ride on"),
    SENT(1440, S, ACK, 7, 8, 0),
    GOT(1641, S, ACK, 7, 8, 0),
    STATE(1641, C, FIN_WAIT_1, FIN_WAIT_2),
    CALL(2030, S, CLOSE, 0),
    SENT(2030, S, FIN, 7, 8, 0),
    STATE(2030, S, CLOSE_WAIT, LAST_ACK),
    GOT(2232, S, FIN, 7, 8, 0),
    STATE(2232, C, FIN_WAIT_2, TIME_WAIT),
    SENT(2234, C, ACK, 8, 8, 0),
    CALL(2235, C, RECV, 0),
    CALL(2236, C, CLOSE, 0),
    EXIT(2240, C, 0),
    GOT(2436, C, ACK, 8, 8, 0),
    STATE(2436, S, LAST_ACK, NONE),
    EXIT(2440, S, 0),
};

/* What can go wrong, and is repaired; FIN rides on data, three segments. */
static const struct event trouble[] = {
    SENT(0, C, SYN, 0, 0, 0, .fate = FATE_LOST, .by = "rule 1"),
    SENT(10140, C, SYN, 0, 0, 0, .again = AGAIN_TIMEOUT),
    GOT(10340, C, SYN, 0, 0, 0),
    SENT(10340, S, SYNACK, 0, 1, 0),
    GOT(10540, S, SYNACK, 0, 1, 0),
    SENT(10540, C, ACK, 1, 1, 0),
    SENT(10550, C, PSH, 1, 1, 6, .fate = FATE_DUPLICATED, .by = "rule 2"),
    GOT(10740, C, ACK, 1, 1, 0),
    GOT(10750, C, PSH, 1, 1, 6),
    SENT(10750, S, ACK, 1, 7, 0, .window_bytes = 502),
    GOT(10751, C, PSH, 1, 1, 6, .copy = 1),
    SENT(10751, S, ACK, 1, 7, 0, .window_bytes = 502),
    CALL(10760, S, RECV, 6),
    SENT(10800, C, PSH, 7, 1, 9, .fate = FATE_CORRUPTED, .by = "corrupt"),
    GOT(11000, C, PSH, 7, 1, 9),
    SENT(11000, C, PSH, 7, 1, 9, .again = AGAIN_ACKS),
    GOT(11200, C, PSH, 7, 1, 9),
    SENT(11200, S, ACK, 1, 16, 0),
    GOT(11400, S, ACK, 1, 16, 0),
    CALL(12000, S, RECV, 9),
    SENT(12000, S, ACK, 1, 16, 0, .window_bytes = 502),
    GOT(12200, S, ACK, 1, 16, 0),
    SENT(12200, C, FIN | TCP_PSH, 16, 1, 5),
    GOT(12400, C, FIN | TCP_PSH, 16, 1, 5),
    SENT(12400, S, FIN, 1, 22, 0),
    GOT(12600, S, FIN, 1, 22, 0),
    SENT(12600, C, ACK, 22, 2, 0),
};

/* UDP to a closed port. */
static const struct event refused[] = {
    CALL(0, C, SOCKET, 3),
    CALL(0, C, SENDTO, 6),
    PACKET(EVENT_SENT, 0, C, .kind = FRAME_UDP, .payload_len = 6, TO_9000),
    PACKET(EVENT_RECEIVED, 200, C, .kind = FRAME_UDP, .payload_len = 6),
    PACKET(EVENT_SENT, 200, S, .kind = FRAME_ICMP, .icmp_type = 3,
           .icmp_code = 3),
    PACKET(EVENT_RECEIVED, 400, S, .kind = FRAME_ICMP, .icmp_type = 3,
           .icmp_code = 3),
    CALL(400, C, RECVFROM, -1, .error = ECONNREFUSED),
    EXIT(401, C, 4 << 8),
};

/* Both open at once; then the server is killed with data unread. */
static const struct event crossing[] = {
    SENT(0, C, SYN, 0, 0, 0),
    STATE(0, C, NONE, SYN_SENT),
    SENT(1, S, SYN, 0, 0, 0),
    STATE(1, S, NONE, SYN_SENT),
    GOT(200, C, SYN, 0, 0, 0),
    STATE(200, S, SYN_SENT, SYN_RCVD),
    SENT(200, S, SYNACK, 0, 1, 0),
    GOT(201, S, SYN, 0, 0, 0),
    STATE(201, C, SYN_SENT, SYN_RCVD),
    SENT(201, C, SYNACK, 0, 1, 0),
    GOT(400, S, SYNACK, 0, 1, 0),
    STATE(400, C, SYN_RCVD, ESTABLISHED),
    GOT(401, C, SYNACK, 0, 1, 0),
    STATE(401, S, SYN_RCVD, ESTABLISHED),
    EXIT(5000, S, 9),
    SENT(5000, S, TCP_RST | ACK, 1, 1, 0),
    STATE(5000, S, ESTABLISHED, NONE),
    GOT(5200, S, TCP_RST | ACK, 1, 1, 0),
    STATE(5200, C, ESTABLISHED, NONE),
};

struct run {
    const struct event *event;
    size_t events;
};
#define RUN(events)                                                            \
    {                                                                          \
        events, COUNT(events)                                                  \
    }

static const struct {
    struct run run;
    const char *text;
} held[] = {
    /* the handshake, three ways */
    {RUN(hello), "client SYN; server SYN+ACK; client ACK"},
    {RUN(hello), "client SYN, server SYN+ACK, client ACK, client 6 B"},
    {RUN(hello), "client SYN seq=x\nserver SYN+ACK seq=y ack=x+1 # comment\n"
                 "client ACK seq=x+1 ack=y+1 # and the end"},
    {RUN(hello), "client SYN seq = 0; client data seq=1 ack=1"},
    {RUN(hello), "client SYN received, server SYN+ACK received"},
    /* accept does not make the connection */
    {RUN(hello), "server accept...; client ESTABLISHED; server call accept"},
    {RUN(hello), "server state ESTABLISHED; server accept = 4"},
    {RUN(hello), "no server accept before client ESTABLISHED"},
    {RUN(hello), "server LISTEN; server SYN_RCVD"},
    /* frames and states, all of them */
    {RUN(hello),
     "frames: client SYN, server SYN+ACK, client ACK, client 6 B, server ACK,"
     "server 6 B, client ACK, client FIN, server ACK, server FIN, client ACK"},
    {RUN(hello),
     "frames received: client SYN, server SYN+ACK, client ACK, client 6 B,"
     "server ACK, server 6 B, client ACK, client FIN, server ACK, server FIN,"
     "client ACK"},
    {RUN(hello), "client frames: SYN, ACK, 6 B, ACK, FIN, ACK"},
    {RUN(hello), "server frames received: SYN+ACK, ACK, data, ACK, FIN+ACK"},
    {RUN(hello),
     "client states: SYN_SENT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT"},
    {RUN(hello),
     "server states: SYN_RCVD, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED"},
    {RUN(hello), "client calls: socket, connect = 0, send = 6,"
                 "recv \"hello\\n\", shutdown, recv = 0, close"},
    {RUN(hello), "client calls: socket, setsockopt, connect, send, recv,"
                 "shutdown, recv, close"},
    /* the close, lanes together */
    {RUN(hello), "client FIN & client FIN_WAIT_1;"
                 "client FIN received & server CLOSE_WAIT; server recv = 0;"
                 "server ACK; client FIN_WAIT_2;"
                 "server FIN & server LAST_ACK; client TIME_WAIT"},
    {RUN(hello), "client FIN_WAIT_1 & client FIN"},
    {RUN(hello), "client FIN, client ACK received, client FIN received; "
                 "meanwhile; server SYN_RCVD, server ESTABLISHED"},
    {RUN(hello), "client FIN, server ACK, server FIN, client ACK"},
    {RUN(hello), "no client data after client FIN; no client RST; "
                 "exactly 1 client data; at least 2 server frame"},
    {RUN(hello), "exactly 6 client frame; at most 5 server frame received"},
    {RUN(hello),
     "server data after client SYN; server accept before client FIN"},
    {RUN(hello), "client output \"hel\"; client exit; server exit = 0"},
    {RUN(hello), "server remark \"delayed ACK\"; client exit 0"},
    {RUN(hello), "exactly 1 client data; exactly 1 server data"},
    {RUN(hello), "client SYN\nmeanwhile:\nclient SYN_SENT"},
    /* a chain that begins anew within itself */
    {RUN(hello), "client ACK, client FIN"},
    /* trouble and repair */
    {RUN(trouble), "client SYN lost by rule 1, client SYN again timeout"},
    {RUN(trouble), "client SYN lost; client SYN again; no client ACK again"},
    {RUN(trouble), "client data duplicated by rule 2; client data received;"
                   "client data received copy; server recv = 6"},
    {RUN(trouble), "exactly 2 client 6 B received; exactly 1 server recv = 6"},
    {RUN(trouble), "client 9 B corrupted by corrupt; client 9 B again acks"},
    {RUN(trouble), "server ACK win = 0; server recv; server ACK win > 0"},
    {RUN(trouble),
     "server ACK win > 0, client 9 B; exactly 1 server ACK win 0"},
    {RUN(trouble), "server ACK win 0; server ACK win = 502"},
    {RUN(trouble), "client FIN 5 B, server FIN, client ACK"},
    {RUN(trouble), "client FIN data; no client FIN 0 B; no server FIN data"},
    {RUN(trouble), "client FIN+PSH+ACK seq=x+16"},
    {RUN(trouble), "exactly 1 client SYN delivered"},
    /* UDP */
    {RUN(refused), "client UDP 6 B to 9000; server ICMP port unreachable;"
                   "client recvfrom = ECONNREFUSED; client exit 4"},
    {RUN(refused), "frames: client 6 B, server ICMP unreachable"},
    {RUN(refused), "client call recvfrom = -1; client exit != 0"},
    /* simultaneous open; killed */
    {RUN(crossing), "frames: client SYN, server SYN, server SYN+ACK,"
                    "client SYN+ACK, server RST"},
    {RUN(crossing), "client states: SYN_SENT, SYN_RCVD, ESTABLISHED, CLOSED"},
    {RUN(crossing), "server killed 9; server RST; client CLOSED"},
    {RUN(crossing), "server killed; no server FIN; no server exit"},
};

/* What fails, and words that the reason must have. */
static const struct {
    struct run run;
    const char *text, *why;
    uint64_t tenths; /* where it stopped */
} failed[] = {
    {RUN(hello), "client RST",
     "not seen; 'client SYN to 9000 seq=x' came at 0.1 ms, at last "
     "'client ACK seq=x+8 ack=y+8' at 223.4 ms",
     0},
    {RUN(hello), "client SYN; server RST",
     "expected 'server RST' after 'client SYN to 9000 seq=x' (at 0.1 ms); "
     "'server SYN+ACK seq=y ack=x+1' came at 20.4 ms",
     1},
    {RUN(hello), "server accept; client SYN",
     "expected 'client SYN' after 'server accept = 4' (at 61.0 ms)", 610},
    {RUN(hello), "client FIN, server FIN",
     "expected 'server FIN' after 'client FIN+ACK seq=x+7 ack=y+7' (at 82.2 "
     "ms); "
     "'server ACK seq=y+7 ack=x+8' came at 144.0 ms",
     822},
    {RUN(hello), "client FIN 5 B",
     "not seen; 'client FIN+ACK seq=x+7 ack=y+7' came at 82.2 ms", 0},
    {RUN(hello), "client FIN; client FIN",
     "'server ACK seq=y+7 ack=x+8' came at 144.0 ms", 822},
    {RUN(hello), "client exit; client SYN; client ACK",
     "nothing of the kind came", 2240},
    {RUN(hello), "server UDP & client SYN",
     "expected 'server UDP' after 'client SYN to 9000 seq=x' (at 0.1 ms)", 1},
    {RUN(hello), "frames: client SYN, server ACK",
     "expected 'server ACK' as number 2; 'server SYN+ACK seq=y ack=x+1' came "
     "at 20.4 ms",
     204},
    {RUN(hello), "client states: SYN_SENT, ESTABLISHED",
     "'client FIN_WAIT_1' came at 82.2 ms, after all 2", 822},
    {RUN(hello),
     "server states: SYN_RCVD, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED,"
     "CLOSED",
     "expected 'server CLOSED' as number 6; nothing more came", 2436},
    {RUN(hello), "no client FIN",
     "'client FIN+ACK seq=x+7 ack=y+7' came at 82.2 ms", 822},
    {RUN(hello), "no server data after server accept",
     "'server 6 B seq=y+1 ack=x+7' came at 81.8 ms", 818},
    {RUN(hello), "at most 2 client ACK",
     "'client ACK seq=x+8 ack=y+8' came at 223.4 ms", 2234},
    {RUN(hello), "exactly 2 client SYN", "there were 1", 1},
    {RUN(hello), "at least 1 client RST", "there were 0", 0},
    {RUN(hello), "server data after client FIN", "there were 0", 0},
    {RUN(hello), "client output \"world\"",
     "'client output \"hello\"' came at 82.0 ms", 0},
    {RUN(hello), "client exit 1", "'client exit 0' came at 224.0 ms", 0},
    {RUN(hello), "client recv \"world\"",
     "'client recv = 6 \"hello\\n\"' came at 82.0 ms", 0},
    {RUN(trouble), "client SYN again acks",
     "'client SYN to 9000 seq=x lost by rule 1' came at 0.0 ms", 0},
    {RUN(refused), "client recvfrom >= 0",
     "'client recvfrom = ECONNREFUSED' came at 40.0 ms", 0},
    {RUN(refused), "server ICMP host unreachable",
     "'server ICMP port unreachable' came at 20.0 ms", 0},
    {RUN(crossing), "server exit", "'server killed 9' came", 0},
};

/* What cannot be read: the word at fault, and a part of what is allowed. */
static const struct {
    const char *text, *word, *allowed;
} bad[] = {
    {"", "missing at the end", "an expectation"},
    {"  # nothing", "missing at the end", "an expectation"},
    {"meanwhile", "missing at the end", "an expectation"},
    {"klient SYN", "'klient'", "client, server"},
    {"client", "missing at the end", "SYN+ACK"},
    {"client syn", "'syn'", "SYN+ACK"},
    {"client SYNN", "'SYNN'", "SYN+ACK"},
    {"client SYN+", "'SYN+'", "SYN+ACK"},
    {"client ESTABLISHD", "'ESTABLISHD'", "ESTABLISHED"},
    {"client state accept", "'accept'", "ESTABLISHED"},
    {"client call SYN_SENT", "'SYN_SENT'", "a call"},
    {"client SYN lots", "'lots'", "','"},
    {"client SYN lost by bus", "'bus'", "blackhole, rule 1"},
    {"client SYN lost by rule", "missing", "number of a rule"},
    {"client SYN seq=y", "'y'", "x+1"},
    {"client SYN seq=x+y", "'x+y'", "x+1"},
    {"client SYN seq", "missing", "x+1"},
    {"server SYN ack=y+1", "'y+1'", "x+1"},
    {"client SYN win", "missing", ">= 2"},
    {"client ACK win = wide", "'wide'", ">= 2"},
    {"client data copy", "missing", "'received'"},
    {"client 6", "'6'", "6 B"},
    {"client SYN received lost", "'received'", "of the departure"},
    {"frames received: client SYN lost", "'client'", "of the departure"},
    {"client SYN after", "missing", "client, server"},
    {"client accept = soon", "'soon'", "ECONNREFUSED"},
    {"client accept... = 4", "'='", "','"},
    {"client output hello", "'hello'", "quotes"},
    {"client output \"hello", "'\"hello'", "quotes"},
    {"client output \"a\\q\"", "\\q", "escapes"},
    {"client SYN; ; client $", "'$'", "SYN+ACK"},
    {"client SYN, server SYN+ACK & client ACK", "'&'", "all ','"},
    {"client SYN server SYN+ACK", "'server'", "';'"},
    {"exactly client SYN", "'client'", "a number"},
    {"at 1 client SYN", "'1'", "least or most"},
    {"no client SYN before client ACK before client FIN", "'before'", "twice"},
    {"no client SYN, client ACK", "','", "the end"},
    {"frames client SYN", "'client'", "':'"},
    {"frames: SYN", "'SYN'", "client, server"},
    {"client frames: client SYN", "'client'", "SYN+ACK"},
    {"client frames: SYN, ESTABLISHED", "'ESTABLISHED'", "a frame"},
    {"client states: LISTEN", "'LISTEN'", "a state of a connection"},
    {"client calls: accept...", "'accept...'", "a call that returns"},
    {"frames: client SYN received", "'client'", "a frame"},
    {"client frames: SYN; RST", "'RST'", "client, server"},
    {"client SYN\nserver SYN+ACK\nclient ACKK", "line 3: 'ACKK'", "SYN+ACK"},
};

static struct expect *parse(const char *text)
{
    struct err e;
    struct expect *x = expect_new(&e);
    assert_non_null(x);
    if (expect_parse(x, "--expect", text, &e) < 0)
        fail_msg("%s: %s", text, e.text);
    return x;
}

static size_t play(struct expect *x, const struct run *run)
{
    for (size_t i = 0; i < run->events; i++)
        expect_event(&run->event[i], x);
    return expect_finish(x);
}

static void what_happened_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(held); i++) {
        struct expect *x = parse(held[i].text);
        if (play(x, &held[i].run) != 0)
            for (size_t n = 0; n < expect_count(x); n++)
                if (!expect_result(x, n).held)
                    fail_msg("%s: %s", held[i].text, expect_result(x, n).why);
        expect_free(x);
    }
}

static void what_did_not_happen_fails_with_reasons(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(failed); i++) {
        struct expect *x = parse(failed[i].text);
        if (play(x, &failed[i].run) != 1)
            fail_msg("%s: held", failed[i].text);
        struct expect_result r = expect_result(x, 0);
        assert_false(r.held);
        if (strstr(r.why, failed[i].why) == NULL)
            fail_msg("%s: %s", failed[i].text, r.why);
        if (failed[i].tenths != 0)
            assert_int_equal(r.t_ns, failed[i].tenths * 100000);
        expect_free(x);
    }
}

static void names_the_word_at_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err e;
        struct expect *x = expect_new(&e);
        if (expect_parse(x, "--expect", bad[i].text, &e) == 0)
            fail_msg("accepted: %s", bad[i].text);
        assert_int_equal(e.status, STATUS_USAGE);
        if (strstr(e.text, bad[i].word) == NULL ||
            strstr(e.text, bad[i].allowed) == NULL)
            fail_msg("'%s': %s", bad[i].text, e.text);
        expect_free(x);
    }
}

static void each_expectation_is_judged_by_itself(void **state)
{
    (void)state;
    const struct run run = RUN(hello);
    struct expect *x = parse("client SYN; server SYN+ACK; no client FIN;"
                             "exactly 1 client SYN; client ACK; server RST");
    assert_int_equal(expect_parse(x, "--expect", "server SYN+ACK", NULL), 0);
    assert_int_equal(play(x, &run), 2);
    assert_int_equal(expect_count(x), 4);
    assert_false(expect_result(x, 0).held);
    assert_string_equal(expect_result(x, 0).text,
                        "client SYN ... server RST (4 steps)");
    assert_false(expect_result(x, 1).held);
    assert_string_equal(expect_result(x, 1).text, "no client FIN");
    assert_true(expect_result(x, 2).held);
    assert_true(expect_result(x, 3).held);
    assert_string_equal(expect_result(x, 3).text, "server SYN+ACK");
    expect_free(x);
}

static void nothing_happened(void **state)
{
    (void)state;
    const struct run nothing = {hello, 0};
    struct expect *x = parse("client SYN; no client RST; frames: client SYN");
    assert_int_equal(play(x, &nothing), 2);
    assert_string_equal(expect_result(x, 0).why,
                        "not seen; nothing of the kind came");
    expect_free(x);
}

static void a_group_has_a_limit(void **state)
{
    (void)state;
    char text[2000] = "client SYN";
    for (int i = 1; i < 63; i++)
        strcat(text, ", client SYN");
    struct expect *x = parse(text);
    assert_int_equal(play(x, &(struct run)RUN(hello)), 1);
    strcat(text, ", client SYN");
    struct err e;
    assert_int_equal(expect_parse(x, "--expect", text, &e), -1);
    assert_non_null(strstr(e.text, "63 steps"));
    expect_free(x);
}

static void reads_files(void **state)
{
    (void)state;
    char path[] = "/tmp/test_expect.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "# the handshake\r\n"
                               "client SYN\r\n\r\nserver SYN+ACK\r\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    struct err e;
    struct expect *x = expect_new(&e);
    assert_int_equal(expect_read(x, path, &e), 0);
    assert_int_equal(play(x, &(struct run)RUN(hello)), 0);
    assert_int_equal(write(fd, "oops\n", 5), 5);
    assert_int_equal(expect_read(x, path, &e), -1);
    assert_non_null(strstr(e.text, "line 5: 'oops'"));
    assert_int_equal(write(fd, "", 1), 1);
    assert_int_equal(expect_read(x, path, &e), -1);
    assert_int_equal(e.status, STATUS_FAILED);
    close(fd);
    unlink(path);
    assert_int_equal(expect_read(x, path, &e), -1);
    assert_int_equal(e.status, STATUS_FAILED);
    expect_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_holds),
        cmocka_unit_test(what_did_not_happen_fails_with_reasons),
        cmocka_unit_test(names_the_word_at_fault),
        cmocka_unit_test(each_expectation_is_judged_by_itself),
        cmocka_unit_test(nothing_happened),
        cmocka_unit_test(a_group_has_a_limit),
        cmocka_unit_test(reads_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
