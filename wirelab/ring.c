/* SPDX-License-Identifier: MIT
 *
 * ring: frames in and out of one cable. See ring.h for the contract.
 *
 * TPACKET_V2 has one frame a slot, which may be kept or given back at once;
 * V3 fills whole blocks, and would hold a lonely SYN back until a timer ends.
 */
#include "ring.h"

#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for a burst while the wire does not run: some 4 ms at 10 Gbit/s. */
#define RING_BYTES (8u << 20)
#define BLOCK_BYTES (1u << 17)
#define VLAN_TAG 4

static int set_option(int fd, int name, int value)
{
    return setsockopt(fd, SOL_PACKET, name, &value, sizeof value);
}

/* The slot for a frame of MTU, with its Ethernet header, a VLAN tag and the
 * kernel's own words; a power of two, so that a block holds whole slots. */
static size_t slot_size(uint32_t mtu)
{
    size_t need = TPACKET2_HDRLEN + 64 + ETH_HLEN + 4 + mtu;
    size_t size = 2048;
    while (size < need)
        size *= 2;
    return size;
}

static int map_ring(struct ring *r, uint32_t mtu)
{
    r->slot_size = slot_size(mtu);
    r->slots = (unsigned)(RING_BYTES / r->slot_size);
    r->size = RING_BYTES;
    struct tpacket_req request = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = RING_BYTES / BLOCK_BYTES,
        .tp_frame_size = (unsigned)r->slot_size,
        .tp_frame_nr = r->slots,
    };
    if (setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request,
                   sizeof request) < 0)
        return -1;
    void *memory =
        mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (memory == MAP_FAILED)
        return -1;
    r->memory = memory;
    return 0;
}

int ring_open(struct ring *r, unsigned index, uint32_t mtu, struct err *e)
{
    memset(r, 0, sizeof *r);
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)index};
    /* Protocol 0: it hears nothing before bind names the cable. */
    r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->fd < 0)
        return err_sys(e, "packet socket");
    if (set_option(r->fd, PACKET_VERSION, TPACKET_V2) < 0 ||
        set_option(r->fd, PACKET_IGNORE_OUTGOING, 1) < 0 ||
        set_option(r->fd, PACKET_QDISC_BYPASS, 1) < 0 || map_ring(r, mtu) < 0 ||
        bind(r->fd, (struct sockaddr *)&at, sizeof at) < 0) {
        err_sys(e, "packet ring");
        ring_close(r);
        return -1;
    }
    return 0;
}

static struct tpacket2_hdr *slot(const struct ring *r)
{
    return (void *)(r->memory + r->next * r->slot_size);
}

/* The kernel takes a VLAN tag out of the frame: puts it back, over the words
 * that stand before the frame. */
static void restore_tag(struct tpacket2_hdr *h)
{
    uint8_t *frame = (uint8_t *)h + h->tp_mac - VLAN_TAG;
    memmove(frame, frame + VLAN_TAG, 2 * ETH_ALEN);
    const uint16_t tag[] = {htons(h->tp_vlan_tpid), htons(h->tp_vlan_tci)};
    memcpy(frame + 2 * ETH_ALEN, tag, sizeof tag);
    h->tp_mac -= VLAN_TAG;
    h->tp_snaplen += VLAN_TAG;
    h->tp_len += VLAN_TAG;
    h->tp_status &= ~(uint32_t)TP_STATUS_VLAN_VALID;
}

bool ring_peek(const struct ring *r, struct ring_frame *f)
{
    struct tpacket2_hdr *h = slot(r);
    uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
    if (!(status & TP_STATUS_USER))
        return false;
    if (status & TP_STATUS_VLAN_VALID)
        restore_tag(h);
    f->bytes = (const uint8_t *)h + h->tp_mac;
    f->len = h->tp_snaplen;
    f->wire_len = h->tp_len;
    f->real_ns = (uint64_t)h->tp_sec * CLOCK_S + h->tp_nsec;
    f->unsummed = status & TP_STATUS_CSUMNOTREADY;
    return true;
}

void ring_release(struct ring *r)
{
    struct tpacket2_hdr *h = slot(r);
    __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    r->next = r->next + 1 < r->slots ? r->next + 1 : 0;
}

int ring_send(const struct ring *r, const uint8_t *bytes, size_t len)
{
    while (send(r->fd, bytes, len, 0) < 0) {
        /* ENETDOWN is also how the socket reports, once, that the cable was
         * down before: the second attempt tells whether it still is. */
        if (errno == ENETDOWN)
            return send(r->fd, bytes, len, 0) < 0 ? -1 : 0;
        if (errno != EINTR)
            return -1;
    }
    return 0;
}

uint64_t ring_count_drops(struct ring *r)
{
    struct tpacket_stats stats = {0, 0};
    socklen_t len = sizeof stats;
    if (r->fd < 0 ||
        getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
        return 0;
    r->dropped += stats.tp_drops;
    return stats.tp_drops;
}

void ring_close(struct ring *r)
{
    if (r->memory != NULL)
        munmap(r->memory, r->size);
    if (r->fd >= 0)
        close(r->fd);
    r->memory = NULL;
    r->fd = -1;
}
