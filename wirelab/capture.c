/* SPDX-License-Identifier: MIT
 *
 * capture: files to packets. See capture.h for the contract.
 */
#include "capture.h"

#include "clock.h"
#include "lang.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

struct capture {
    char *path;
    pcap_t *pcap;
    struct notes *notes;
    int link;
    uint64_t packets;
};

/* --- link types ---------------------------------------------------------- */

/* Linux' cooked headers say where a packet was going. */
enum { COOKED_TO_US = 0, COOKED_OUTGOING = 4 };

static uint16_t word_at(const uint8_t *bytes, size_t at)
{
    return (uint16_t)(bytes[at] << 8 | bytes[at + 1]);
}

static void set_direction(struct packet *p, unsigned cooked)
{
    p->inbound = cooked == COOKED_TO_US;
    p->outbound = cooked == COOKED_OUTGOING;
}

static void decode_ethernet(struct packet *p)
{
    frame_decode(p->bytes, p->len, p->wire_len, &p->frame);
}

static void decode_ip(struct packet *p)
{
    frame_decode_ip(p->bytes, p->len, p->wire_len, &p->frame);
}

/* Four bytes of an address family, whose numbers differ between systems; the
 * packet itself says what it is. */
static void decode_loopback(struct packet *p)
{
    frame_decode_ip(p->bytes + 4, p->len - 4, p->wire_len - 4, &p->frame);
}

static void decode_cooked(struct packet *p)
{
    set_direction(p, word_at(p->bytes, 0));
    frame_decode_ethertype(word_at(p->bytes, 14), p->bytes + 16, p->len - 16,
                           p->wire_len - 16, &p->frame);
}

static void decode_cooked_2(struct packet *p)
{
    set_direction(p, p->bytes[10]);
    frame_decode_ethertype(word_at(p->bytes, 0), p->bytes + 20, p->len - 20,
                           p->wire_len - 20, &p->frame);
}

static const struct link_type {
    int number;
    size_t header; /* bytes that must be there */
    void (*decode)(struct packet *p);
} link_types[] = {
    {DLT_EN10MB, 0, decode_ethernet},   {DLT_RAW, 0, decode_ip},
    {DLT_IPV4, 0, decode_ip},           {DLT_IPV6, 0, decode_ip},
    {DLT_LINUX_SLL, 16, decode_cooked}, {DLT_LINUX_SLL2, 20, decode_cooked_2},
    {DLT_NULL, 4, decode_loopback},     {DLT_LOOP, 4, decode_loopback},
};

static const struct link_type *find_link(int number)
{
    for (size_t i = 0; i < sizeof link_types / sizeof *link_types; i++)
        if (link_types[i].number == number)
            return &link_types[i];
    return NULL;
}

/* --- checksums ----------------------------------------------------------- */

static uint32_t sum_words(const void *bytes, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += word_at(bytes, i);
    return sum;
}

/* A kernel that leaves the checksum to the network card, or knows that no
 * cable follows, puts the sum of the pseudo header in its place. */
static bool is_left_to_card(const struct frame *f)
{
    size_t at = f->kind == FRAME_TCP ? 16 : 6;
    bool v4 = f->ip_version == 4;
    if ((f->kind != FRAME_TCP && f->kind != FRAME_UDP) ||
        f->transport_len < at + 2)
        return false;
    const void *source = v4 ? (const void *)&f->source.in.sin_addr
                            : (const void *)&f->source.in6.sin6_addr;
    const void *destination = v4 ? (const void *)&f->destination.in.sin_addr
                                 : (const void *)&f->destination.in6.sin6_addr;
    uint32_t sum = sum_words(source, v4 ? 4 : 16) +
                   sum_words(destination, v4 ? 4 : 16) + f->ip_protocol +
                   (uint32_t)(f->transport_len >> 16) +
                   (uint32_t)(f->transport_len & 0xffff);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return word_at(f->transport, at) == sum;
}

/* --- packets ------------------------------------------------------------- */

static void decode(const struct capture *c, struct packet *p)
{
    const struct link_type *link = find_link(c->link);
    if (p->len >= link->header) {
        link->decode(p);
    } else {
        frame_decode_ethertype(0, p->bytes, 0, 0, &p->frame);
        p->frame.cut = N_("the link header is cut");
    }
    p->frame.wire_len = p->wire_len;
    if (p->frame.transport_checksum == CHECKSUM_BAD &&
        is_left_to_card(&p->frame))
        p->frame.transport_checksum = CHECKSUM_UNKNOWN;
}

int capture_next(struct capture *c, struct packet *p, struct err *e)
{
    struct pcap_pkthdr *head;
    const uint8_t *bytes;
    int got = pcap_next_ex(c->pcap, &head, &bytes);
    if (got == PCAP_ERROR_BREAK)
        return 0;
    if (got < 0)
        return err_set(e, STATUS_FAILED, "%s: after packet %llu: %s", c->path,
                       (unsigned long long)c->packets, pcap_geterr(c->pcap));
    *p = (struct packet){
        .number = ++c->packets,
        /* of nanoseconds, for that is how the file was opened */
        .t_ns =
            (uint64_t)head->ts.tv_sec * CLOCK_S + (uint64_t)head->ts.tv_usec,
        .bytes = bytes,
        .len = head->caplen,
        .wire_len = head->len > head->caplen ? head->len : head->caplen,
    };
    notes_next(c->notes, &p->note);
    decode(c, p);
    if (p->note.inbound || p->note.outbound) {
        p->inbound = p->note.inbound;
        p->outbound = p->note.outbound;
    }
    return 1;
}

/* --- files --------------------------------------------------------------- */

static int check_link(const struct capture *c, struct err *e)
{
    if (find_link(c->link) != NULL)
        return 0;
    const char *name = pcap_datalink_val_to_name(c->link);
    err_set(e, STATUS_FAILED, "%s: link type %s (%d) is not understood",
            c->path, name != NULL ? name : _("without a name"), c->link);
    return err_advise(e, "those that are: Ethernet, raw IP, Linux cooked (SLL, "
                         "SLL2), BSD loopback (NULL, LOOP)");
}

struct capture *capture_open(const char *path, struct err *e)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    FILE *file = NULL;
    struct capture *c = calloc(1, sizeof *c);
    if (c == NULL || (c->path = strdup(path)) == NULL ||
        (file = fopen(path, "re")) == NULL) {
        err_sys(e, "%s", path);
        goto fail;
    }
    c->pcap = pcap_fopen_offline_with_tstamp_precision(
        file, PCAP_TSTAMP_PRECISION_NANO, why);
    if (c->pcap == NULL) {
        fclose(file);
        err_set(e, STATUS_FAILED, "%s: %s", path, why);
        goto fail;
    }
    c->link = pcap_datalink(c->pcap);
    if (check_link(c, e) < 0)
        goto fail;
    c->notes = notes_open(path);
    return c;
fail:
    capture_close(c);
    return NULL;
}

void capture_close(struct capture *c)
{
    if (c == NULL)
        return;
    if (c->pcap != NULL)
        pcap_close(c->pcap);
    notes_close(c->notes);
    free(c->path);
    free(c);
}
