/* SPDX-License-Identifier: MIT
 *
 * test_frame: frames of every kind, and what must be read from them; wrong
 * ones, and what must be said about them; then all of them cut at every
 * length and with every bit flipped, in memory of exactly that size, so that
 * AddressSanitizer sees a byte read too far.
 * Read next: test_fault.c.
 */
#include "frame.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Ethernet frames in hex. Host 1 is 10.9.0.1 and fd00:9::1, host 2 likewise;
 * frames shorter than 60 bytes are padded, as cards do. */
#define SYN                                                                    \
    "02000000000202000000000108004500003c12344000400614740a0900010a090002"     \
    "9c402328000003e800000000a002faf05f900000020405b40402080a0001b2070003"     \
    "640e01030307"
#define DATA                                                                   \
    "02000000000202000000000108004500003a12344000400614760a0900010a090002"     \
    "9c402328000003e9000007d1801801f63b8c00000101080a0001b2070003640e6865"     \
    "6c6c6f0a"
#define SACK                                                                   \
    "02000000000202000000000108004500003c12344000400614740a0900020a090001"     \
    "23289c40000007d1000003e9a01001fd6897000001010512000003ef000003f50000"     \
    "03fc00000402"
#define BAD_SUM                                                                \
    "02000000000202000000000108004500002e12344000400614820a0900010a090002"     \
    "9c402328000003e9000007d15018faf091c3000068656c6c6f0a"
#define UDP                                                                    \
    "02000000000202000000000108004500002212344000401114830a0900010a090002"     \
    "82f82328000e01c168656c6c6f0a000000000000000000000000"
#define UDP_NO_SUM                                                             \
    "02000000000202000000000108004500002212344000401114830a0900010a090002"     \
    "82f82328000e000068656c6c6f0a000000000000000000000000"
#define FRAGMENT_1                                                             \
    "02000000000202000000000108004500004412342000401134610a0900010a090002"     \
    "82f8232800486125000102030405060708090a0b0c0d0e0f10111213141516171819"     \
    "1a1b1c1d1e1f2021222324252627"
#define FRAGMENT_2                                                             \
    "02000000000202000000000108004500002c12340006401154730a0900010a090002"     \
    "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f0000"
#define ICMP                                                                   \
    "02000000000202000000000108004500003e12344000400114770a0900020a090001"     \
    "03031131000000004500002212344000401114830a0900010a09000282f82329000e"     \
    "01c068656c6c6f0a"
#define PING                                                                   \
    "02000000000202000000000108004500002412344000400114910a0900010a090002"     \
    "0800666800010001616263646566676800000000000000000000"
#define TCP6                                                                   \
    "02000000000202000000000186dd6000000000140640fd0000090000000000000000"     \
    "00000001fd0000090000000000000000000000029c402328000003ef000007d75011"     \
    "faf0ef9d0000"
#define FRAGMENT6_1                                                            \
    "02000000000202000000000186dd6000000000400040fd0000090000000000000000"     \
    "00000001fd0000090000000000000000000000022c0001040000000011000001abcd"     \
    "ef0182f8232800487b23000102030405060708090a0b0c0d0e0f1011121314151617"     \
    "18191a1b1c1d1e1f2021222324252627"
#define FRAGMENT6_2                                                            \
    "02000000000202000000000186dd6000000000280040fd0000090000000000000000"     \
    "00000001fd0000090000000000000000000000022c0001040000000011000030abcd"     \
    "ef0128292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define EXTENSIONS6                                                            \
    "02000000000202000000000186dd60000000001e0040fd0000090000000000000000"     \
    "00000001fd0000090000000000000000000000023c00010400000000110001040000"     \
    "000082f82328000e1bbf68656c6c6f0a"
#define ICMP6                                                                  \
    "02000000000202000000000186dd60000000003e3a40fd0000090000000000000000"     \
    "00000002fd0000090000000000000000000000010104933d0000000060000000000e"     \
    "1140fd000009000000000000000000000001fd000009000000000000000000000002"     \
    "82f82329000e1bbe68656c6c6f0a"
#define ARP                                                                    \
    "020000000002020000000001080600010800060400010200000000010a0900010000"     \
    "000000000a090002000000000000000000000000000000000000"
#define VLAN                                                                   \
    "02000000000202000000000188a82007810000050800450000221234400040111483"     \
    "0a0900010a09000282f82328000e01c168656c6c6f0a"
#define IGMP                                                                   \
    "020000000002020000000001080046000020123440000102be8f0a0900010a090002"     \
    "940400001600fafde00000020000000000000000000000000000"
#define OPTIONS                                                                \
    "0200000000020200000000010800470000301234400040060a750a0900010a090002"     \
    "01070704000000009c40232800000005000000065010faf0e15b0000"
#define IP_LONG                                                                \
    "02000000000202000000000108004500019012344000401113150a0900010a090002"     \
    "00010002000a8359686900000000000000000000000000000000"
#define IP_HEADER                                                              \
    "02000000000202000000000108004100001412344000401114910a0900010a090002"     \
    "0000000000000000000000000000000000000000000000000000"
#define IP_VERSION                                                             \
    "02000000000202000000000108005500000000000000000000000000000000000000"     \
    "0000000000000000000000000000000000000000000000000000"
#define TCP_HEADER                                                             \
    "02000000000202000000000108004500002812344000400614880a0900010a090002"     \
    "9c40232800000005000000064010faf0e15b0000000000000000"
#define TCP_HEADER_LONG                                                        \
    "02000000000202000000000108004500002812344000400614880a0900010a090002"     \
    "9c4023280000000500000006f010faf0e15b0000000000000000"
#define TCP_OPTIONS                                                            \
    "02000000000202000000000108004500002c12344000400614840a0900010a090002"     \
    "9c40232800000005000000066010faf0cf570000020000000000"
#define UDP_LENGTH                                                             \
    "02000000000202000000000108004500001c12344000401114890a0900010a090002"     \
    "0001000200070000000000000000000000000000000000000000"
#define UDP_LONG                                                               \
    "02000000000202000000000108004500001e12344000401114870a0900010a090002"     \
    "0001000203200001686900000000000000000000000000000000"

#define MAX_FRAME 256

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;
    for (unsigned byte; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
        bytes[n] = (uint8_t)byte;
    return n;
}

/* What was read, in one line. */

static void add(char *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list ap;
    va_start(ap, format);
    vsnprintf(text + used, 512 - used, format, ap);
    va_end(ap);
}

static void add_tcp(const struct frame *f, char *text)
{
    char flags[40];
    add(text, " tcp %s %u>%u win %u", frame_flags(f, '+', flags, sizeof flags),
        f->seq, f->ack, f->window);
    if (f->mss != 0)
        add(text, " mss %u", f->mss);
    if (f->window_scale >= 0)
        add(text, " scale %d", f->window_scale);
    if (f->sack_permitted)
        add(text, " sackOK");
    if (f->has_timestamps)
        add(text, " ts %u %u", f->ts_value, f->ts_echo);
    for (unsigned i = 0; i < f->sacks; i++)
        add(text, " sack %u-%u", f->sack[i].begin, f->sack[i].end);
}

static void add_icmp(const struct frame *f, char *text)
{
    char name[40], from[ADDR_TEXT], to[ADDR_TEXT];
    add(text, " icmp %s", frame_icmp_name(f, name, sizeof name));
    if (f->about_protocol != 0)
        add(text, " about %u %s %s", f->about_protocol,
            addr_format(&f->about_source, from, sizeof from),
            addr_format(&f->about_destination, to, sizeof to));
}

static void describe(const struct frame *f, char *text)
{
    char from[ADDR_TEXT], to[ADDR_TEXT];
    text[0] = '\0';
    if (f->vlan != 0)
        add(text, "vlan %u ", f->vlan);
    if (f->kind != FRAME_OTHER)
        add(text, "%s %s", addr_format(&f->source, from, sizeof from),
            addr_format(&f->destination, to, sizeof to));
    if (f->kind == FRAME_ARP)
        add(text, " arp %u", f->arp_operation);
    if (f->is_fragment)
        add(text, " fragment %" PRIx32 "@%u%s", f->ip_id, f->fragment_offset,
            f->more_fragments ? "+" : "");
    if (f->kind == FRAME_IP)
        add(text, " ip %u", f->ip_protocol);
    if (f->kind == FRAME_TCP)
        add_tcp(f, text);
    if (f->kind == FRAME_UDP)
        add(text, " udp");
    if (f->kind == FRAME_ICMP)
        add_icmp(f, text);
    if (f->payload_len > 0)
        add(text, " %zu B", f->payload_len);
    static const char *const sums[] = {"", " good", " bad"};
    add(text, "%s", sums[f->transport_checksum]);
}

#define ENDS "10.9.0.1:40000 10.9.0.2:9000 "
#define UDP_ENDS "10.9.0.1:33528 10.9.0.2:9000 "

static const struct {
    const char *hex, *text;
} good[] = {
    {SYN, ENDS "tcp SYN 1000>0 win 64240 mss 1460 scale 7 sackOK "
               "ts 111111 222222 good"},
    {DATA, ENDS "tcp PSH+ACK 1001>2001 win 502 ts 111111 222222 6 B good"},
    {SACK, "10.9.0.2:9000 10.9.0.1:40000 tcp ACK 2001>1001 win 509 "
           "sack 1007-1013 sack 1020-1026 good"},
    {BAD_SUM, ENDS "tcp PSH+ACK 1001>2001 win 64240 6 B bad"},
    {UDP, UDP_ENDS "udp 6 B good"},
    {UDP_NO_SUM, UDP_ENDS "udp 6 B"},
    {FRAGMENT_1, UDP_ENDS "fragment 1234@0+ udp 40 B"},
    {FRAGMENT_2, "10.9.0.1:0 10.9.0.2:0 fragment 1234@48 ip 17"},
    {ICMP, "10.9.0.2:0 10.9.0.1:0 icmp port unreachable about 17 "
           "10.9.0.1:33528 10.9.0.2:9001 good"},
    {PING, "10.9.0.1:0 10.9.0.2:0 icmp echo request good"},
    {TCP6, "[fd00:9::1]:40000 [fd00:9::2]:9000 tcp FIN+ACK 1007>2007 "
           "win 64240 good"},
    {FRAGMENT6_1, "[fd00:9::1]:33528 [fd00:9::2]:9000 fragment abcdef01@0+ "
                  "udp 40 B"},
    {FRAGMENT6_2, "[fd00:9::1]:0 [fd00:9::2]:0 fragment abcdef01@48 ip 17"},
    {EXTENSIONS6, "[fd00:9::1]:33528 [fd00:9::2]:9000 udp 6 B good"},
    {ICMP6, "[fd00:9::2]:0 [fd00:9::1]:0 icmp port unreachable about 17 "
            "[fd00:9::1]:33528 [fd00:9::2]:9001 good"},
    {ARP, "10.9.0.1:0 10.9.0.2:0 arp 1"},
    {VLAN, "vlan 7 " UDP_ENDS "udp 6 B good"},
    {IGMP, "10.9.0.1:0 10.9.0.2:0 ip 2"},
    {OPTIONS, ENDS "tcp ACK 5>6 win 64240 good"},
};

static const struct {
    const char *hex, *cut;
    enum frame_kind kind;
} bad[] = {
    {"", "the Ethernet header is cut", FRAME_OTHER},
    {"0200000000020200000000010806", "the ARP message is cut", FRAME_OTHER},
    {"02000000000202000000000181000001", "the VLAN tag is cut", FRAME_OTHER},
    {"0200000000020200000000010800", "the IP header is cut", FRAME_OTHER},
    {"020000000002020000000001080045", "the IPv4 header is cut", FRAME_OTHER},
    {"02000000000202000000000186dd60", "the IPv6 header is cut", FRAME_OTHER},
    {IP_VERSION, "the IP version is unknown", FRAME_OTHER},
    {IP_HEADER, "the IPv4 header's length is wrong", FRAME_OTHER},
    {IP_LONG, "the IP packet is longer than its frame", FRAME_UDP},
    {TCP_HEADER, "the TCP header's length is wrong", FRAME_TCP},
    {TCP_HEADER_LONG, "the TCP header's length is wrong", FRAME_TCP},
    {TCP_OPTIONS, "the TCP options make no sense", FRAME_TCP},
    {UDP_LENGTH, "the UDP header's length is wrong", FRAME_UDP},
    {UDP_LONG, "the UDP header's length is wrong", FRAME_UDP},
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void reads_good_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        uint8_t bytes[MAX_FRAME];
        size_t len = from_hex(good[i].hex, bytes);
        struct frame f;
        char text[512];
        frame_decode(bytes, len, len, &f);
        describe(&f, text);
        assert_string_equal(text, good[i].text);
        assert_null(f.cut);
        assert_int_equal(f.wire_len, len);
        if (f.ip_version == 4)
            assert_int_equal(f.ip_checksum, CHECKSUM_GOOD);
    }
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t bytes[MAX_FRAME];
        size_t len = from_hex(bad[i].hex, bytes);
        struct frame f;
        frame_decode(bytes, len, len, &f);
        assert_non_null(f.cut);
        assert_string_equal(f.cut, bad[i].cut);
        assert_int_equal(f.kind, bad[i].kind);
    }
}

/* A capture with a short snap length: the headers say what is missing. */
static void keeps_the_true_length_of_a_cut_payload(void **state)
{
    (void)state;
    uint8_t bytes[MAX_FRAME];
    size_t len = from_hex(DATA, bytes);
    struct frame f;
    frame_decode(bytes, len - 4, len, &f);
    assert_int_equal(f.kind, FRAME_TCP);
    assert_string_equal(f.cut, "the payload is cut");
    assert_int_equal(f.payload_len, 6);
    assert_int_equal(f.payload_at_hand, 2);
    assert_int_equal(frame_seq_len(&f), 6);
    assert_int_equal(f.transport_checksum, CHECKSUM_UNKNOWN);
}

static void counts_sequence_numbers(void **state)
{
    (void)state;
    uint8_t bytes[MAX_FRAME];
    struct frame f;
    size_t len = from_hex(SYN, bytes);
    frame_decode(bytes, len, len, &f);
    assert_int_equal(frame_seq_len(&f), 1);
    len = from_hex(TCP6, bytes);
    frame_decode(bytes, len, len, &f);
    assert_int_equal(frame_seq_len(&f), 1);
    len = from_hex(SACK, bytes);
    frame_decode(bytes, len, len, &f);
    assert_int_equal(frame_seq_len(&f), 0);
    len = from_hex(UDP, bytes);
    frame_decode(bytes, len, len, &f);
    assert_int_equal(frame_seq_len(&f), 0);
}

static void reads_other_link_types(void **state)
{
    (void)state;
    uint8_t bytes[MAX_FRAME];
    char text[512];
    struct frame f;
    size_t len = from_hex(TCP6, bytes);
    frame_decode_ip(bytes + 14, len - 14, len - 14, &f);
    assert_int_equal(f.kind, FRAME_TCP);
    len = from_hex(ARP, bytes);
    frame_decode_ethertype(0x0806, bytes + 14, len - 14, len - 14, &f);
    describe(&f, text);
    assert_string_equal(text, "10.9.0.1:0 10.9.0.2:0 arp 1");
}

static void flags_fit_their_buffer(void **state)
{
    (void)state;
    struct frame f = {.kind = FRAME_TCP, .flags = 0xff};
    char buf[40];
    assert_string_equal(frame_flags(&f, ',', buf, sizeof buf),
                        "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR");
    assert_string_equal(frame_flags(&f, '+', buf, 8), "FIN+SYN");
    assert_string_equal(frame_flags(&f, '+', buf, 7), "FIN");
    f.flags = 0;
    assert_string_equal(frame_flags(&f, '+', buf, sizeof buf), "");
}

static void assert_inside(const struct frame *f, const uint8_t *bytes,
                          size_t len, size_t wire_len)
{
    if (f->transport != NULL) {
        assert_true(f->transport >= bytes);
        assert_true(f->transport + f->transport_len <= bytes + len);
    }
    if (f->payload != NULL) {
        assert_true(f->payload >= bytes);
        assert_true(f->payload + f->payload_at_hand <= bytes + len);
    }
    assert_true(f->payload_at_hand <= f->payload_len);
    assert_true(f->payload_len <= wire_len);
}

/* Decodes a copy of exactly LEN bytes. */
static void decode_exactly(const uint8_t *bytes, size_t len, size_t wire_len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    struct frame f;
    frame_decode(copy, len, wire_len, &f);
    assert_inside(&f, copy, len, wire_len);
    free(copy);
}

static void survives_damage(const char *hex)
{
    uint8_t bytes[MAX_FRAME];
    size_t len = from_hex(hex, bytes);
    for (size_t cut = 0; cut <= len; cut++) {
        decode_exactly(bytes, cut, cut);
        decode_exactly(bytes, cut, len);
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        decode_exactly(bytes, len, len);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void survives_every_cut_and_flip(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        survives_damage(good[i].hex);
    for (size_t i = 0; i < COUNT(bad); i++)
        survives_damage(bad[i].hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_good_frames),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(keeps_the_true_length_of_a_cut_payload),
        cmocka_unit_test(counts_sequence_numbers),
        cmocka_unit_test(reads_other_link_types),
        cmocka_unit_test(flags_fit_their_buffer),
        cmocka_unit_test(survives_every_cut_and_flip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
