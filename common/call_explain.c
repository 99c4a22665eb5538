/* SPDX-License-Identifier: MIT
 *
 * call_explain: why a call is made, what its result means, and what to do
 * about an error: the words that the programs and the lab both show. One row
 * a meaning; the first row that fits is taken.
 * Sources: man pages socket(2) to shutdown(2), tcp(7), udp(7), ip(7), RFC 9293.
 */
#include "call.h"

#include "lang.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

enum { ANY = -1, TCP = IPPROTO_TCP, UDP = IPPROTO_UDP };

/* How the call stands. */
enum when { WAITING, DONE, EMPTY, FAILED };

struct meaning {
    int id, proto;
    enum when when;
    int detail; /* an errno, an option's or a command's number, or ANY */
    const char *text;
};

static const struct meaning meanings[] = {
    {CALL_SOCKET, TCP, DONE, ANY,
     N_("makes an endpoint for a byte stream; nothing is sent yet")},
    {CALL_SOCKET, UDP, DONE, ANY,
     N_("makes an endpoint for datagrams; nothing is sent yet")},
    {CALL_SOCKET, ANY, DONE, ANY, N_("makes an endpoint")},
    {CALL_BIND, UDP, DONE, ANY,
     N_("names the socket; datagrams to this IP and port arrive from now on")},
    {CALL_BIND, ANY, DONE, ANY,
     N_("names the socket: clients find it at this IP and port")},
    {CALL_LISTEN, ANY, DONE, ANY,
     N_("from now on the kernel shakes hands by itself and queues "
        "connections")},
    {CALL_ACCEPT, ANY, WAITING, ANY,
     N_("waits for a handshake to be complete")},
    {CALL_ACCEPT, ANY, DONE, ANY,
     N_("takes a connection, made already, off the queue: a socket of its "
        "own")},
    {CALL_CONNECT, UDP, DONE, ANY,
     N_("sends nothing; notes the peer: only its datagrams, and errors, "
        "arrive")},
    {CALL_CONNECT, UDP, WAITING, ANY,
     N_("sends nothing; notes the peer: only its datagrams, and errors, "
        "arrive")},
    {CALL_CONNECT, ANY, WAITING, ANY, N_("sends SYN and waits for SYN+ACK")},
    {CALL_CONNECT, TCP, DONE, ANY,
     N_("the handshake is done: SYN, SYN+ACK, ACK")},
    {CALL_CONNECT, ANY, DONE, ANY, N_("the peer is noted")},

    {CALL_SENDTO, UDP, DONE, ANY,
     N_("one call, one datagram; no answer is owed")},
    {CALL_SEND, UDP, DONE, ANY,
     N_("one call, one datagram; no answer is owed")},
    {CALL_SENDMSG, UDP, DONE, ANY, N_("datagrams leave; no answer is owed")},
    {CALL_WRITE, UDP, DONE, ANY,
     N_("one call, one datagram; no answer is owed")},
    {CALL_SEND, ANY, DONE, ANY,
     N_("copied to the send buffer; TCP cuts the stream into segments")},
    {CALL_SENDTO, ANY, DONE, ANY,
     N_("copied to the send buffer; TCP cuts the stream into segments")},
    {CALL_SENDMSG, ANY, DONE, ANY,
     N_("copied to the send buffer; TCP cuts the stream into segments")},
    {CALL_WRITE, ANY, DONE, ANY,
     N_("copied to the send buffer; TCP cuts the stream into segments")},

    {CALL_RECVFROM, UDP, EMPTY, ANY, N_("an empty datagram, not the end")},
    {CALL_RECV, UDP, EMPTY, ANY, N_("an empty datagram, not the end")},
    {CALL_RECVFROM, UDP, DONE, ANY, N_("one whole datagram, and who sent it")},
    {CALL_RECV, UDP, DONE, ANY, N_("one whole datagram")},
    {CALL_RECVMSG, UDP, DONE, ANY, N_("datagrams that have arrived")},
    {CALL_READ, UDP, DONE, ANY, N_("one whole datagram")},
    {CALL_RECV, ANY, EMPTY, ANY, N_("the end: the peer has sent FIN")},
    {CALL_RECVFROM, ANY, EMPTY, ANY, N_("the end: the peer has sent FIN")},
    {CALL_RECVMSG, ANY, EMPTY, ANY, N_("the end: the peer has sent FIN")},
    {CALL_READ, ANY, EMPTY, ANY, N_("the end: the peer has sent FIN")},
    {CALL_RECV, ANY, DONE, ANY,
     N_("takes bytes that have arrived: any number, not one message")},
    {CALL_RECVFROM, ANY, DONE, ANY,
     N_("takes bytes that have arrived: any number, not one message")},
    {CALL_RECVMSG, ANY, DONE, ANY,
     N_("takes bytes that have arrived: any number, not one message")},
    {CALL_READ, ANY, DONE, ANY,
     N_("takes bytes that have arrived: any number, not one message")},
    {CALL_RECV, ANY, WAITING, ANY, N_("waits for something to arrive")},
    {CALL_RECVFROM, ANY, WAITING, ANY, N_("waits for something to arrive")},
    {CALL_RECVMSG, ANY, WAITING, ANY, N_("waits for something to arrive")},
    {CALL_READ, ANY, WAITING, ANY, N_("waits for something to arrive")},

    {CALL_SHUTDOWN, UDP, DONE, ANY,
     N_("nothing is sent: UDP has no end to tell")},
    {CALL_SHUTDOWN, ANY, DONE, SHUT_WR,
     N_("sends FIN behind the queued data; receiving goes on (half-close)")},
    {CALL_SHUTDOWN, ANY, DONE, SHUT_RD, N_("nothing more will be read")},
    {CALL_SHUTDOWN, ANY, DONE, ANY, N_("ends both directions; sends FIN")},
    {CALL_CLOSE, UDP, DONE, ANY,
     N_("gives the socket back; nothing is sent, nobody is told")},
    {CALL_CLOSE, ANY, DONE, ANY,
     N_("gives it back; an open connection ends: FIN, or RST with data "
        "unread")},

    {CALL_SETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_REUSEADDR,
     N_("bind works though old connections are still in TIME_WAIT")},
    {CALL_SETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_BROADCAST,
     N_("allows datagrams to everyone on the link")},
    {CALL_SETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_LINGER,
     N_("close will throw away what is queued and send RST, not FIN")},
    {CALL_SETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_RCVTIMEO,
     N_("a receive that waits longer than this gives up")},
    {CALL_SETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_SNDTIMEO,
     N_("a send that waits longer than this gives up")},
    {CALL_SETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_RCVBUF,
     N_("how much may wait unread: the window that TCP offers follows from "
        "it")},
    {CALL_SETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_RCVBUFFORCE,
     N_("how much may wait unread; as root, even more than rmem_max")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_UDP << 16 | UDP_GRO,
     N_("a row of datagrams may arrive as one message, which tells where to "
        "cut")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_IPV6 << 16 | IPV6_V6ONLY,
     N_("IPv6 only: IPv4 keeps a port space of its own")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_TCP << 16 | TCP_NODELAY,
     N_("small segments leave at once (no Nagle algorithm)")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_TCP << 16 | TCP_CONGESTION,
     N_("chooses how TCP judges the speed of the path")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_IP << 16 | IP_ADD_MEMBERSHIP,
     N_("joins the group: datagrams to it arrive here too")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_IPV6 << 16 | IPV6_JOIN_GROUP,
     N_("joins the group: datagrams to it arrive here too")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_IP << 16 | IP_TTL,
     N_("how many links a datagram may cross: each router takes one off")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_IP << 16 | IP_MULTICAST_TTL,
     N_("how many links a datagram to a group may cross")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_IPV6 << 16 | IPV6_UNICAST_HOPS,
     N_("how many links a datagram may cross: each router takes one off")},
    {CALL_SETSOCKOPT, ANY, DONE, IPPROTO_IPV6 << 16 | IPV6_MULTICAST_HOPS,
     N_("how many links a datagram to a group may cross")},
    {CALL_SETSOCKOPT, ANY, DONE, ANY, N_("sets an option of the socket")},
    {CALL_GETSOCKOPT, ANY, DONE, SOL_SOCKET << 16 | SO_ERROR,
     N_("fetches the error that waits on the socket; 0: none")},
    {CALL_GETSOCKOPT, ANY, DONE, ANY, N_("reads an option of the socket")},
    {CALL_GETSOCKNAME, ANY, DONE, ANY,
     N_("asks for the socket's own IP and port (port 0: the kernel chose "
        "one)")},
    {CALL_GETPEERNAME, ANY, DONE, ANY, N_("asks who is at the other end")},
    {CALL_FCNTL, ANY, DONE, F_SETFL,
     N_("from now on a call that would wait returns EAGAIN instead")},
    {CALL_FCNTL, ANY, DONE, ANY, N_("reads or sets flags of the descriptor")},
    {CALL_POLL, ANY, DONE, ANY, N_("something is ready, or the time is up")},
    {CALL_POLL, ANY, WAITING, ANY, N_("waits until one of several is ready")},

    {CALL_BIND, ANY, FAILED, EADDRINUSE,
     N_("another socket has this IP and port")},
    {CALL_LISTEN, ANY, FAILED, EADDRINUSE,
     N_("another socket has this IP and port")},
    {CALL_BIND, ANY, FAILED, EACCES,
     N_("the low ports are reserved for the system's services")},
    {CALL_SENDTO, ANY, FAILED, EACCES,
     N_("a broadcast address needs SO_BROADCAST first")},
    {CALL_CONNECT, ANY, FAILED, EACCES,
     N_("a broadcast address needs SO_BROADCAST first")},
    {CALL_CONNECT, ANY, FAILED, EADDRNOTAVAIL,
     N_("no free port is left for this peer, or the address is not usable")},
    {ANY, ANY, FAILED, EADDRNOTAVAIL,
     N_("this address does not belong to this machine")},
    {ANY, UDP, FAILED, ECONNREFUSED,
     N_("ICMP port unreachable came back: no socket has that port")},
    {ANY, ANY, FAILED, ECONNREFUSED,
     N_("the SYN was answered by RST: nobody listens on that port")},
    {CALL_CONNECT, ANY, FAILED, ETIMEDOUT, N_("no answer to any SYN")},
    {ANY, ANY, FAILED, ETIMEDOUT,
     N_("sent again and again without an ACK; TCP gave up")},
    {ANY, ANY, FAILED, ECONNRESET,
     N_("RST came: the peer no longer has this connection")},
    {ANY, ANY, FAILED, ECONNABORTED,
     N_("the connection was gone before it was accepted")},
    {ANY, ANY, FAILED, EPIPE,
     N_("this direction is closed: after RST, or after shutdown")},
    {ANY, UDP, FAILED, EMSGSIZE,
     N_("a datagram is sent whole or not at all; over IPv4 it holds at most "
        "65507 bytes")},
    {ANY, ANY, FAILED, EAGAIN,
     N_("nothing is there, and it may not wait longer")},
    {ANY, ANY, FAILED, EINPROGRESS, N_("the handshake goes on in the kernel")},
    {ANY, ANY, FAILED, EINTR, N_("a signal interrupted it")},
    {ANY, ANY, FAILED, EHOSTUNREACH, N_("no way to that host")},
    {ANY, ANY, FAILED, ENETUNREACH, N_("no route to that network")},
    {ANY, ANY, FAILED, ENOTCONN, N_("there is no connection")},
    {ANY, ANY, FAILED, EMFILE, N_("this process may open no more descriptors")},
    {ANY, ANY, FAILED, ENFILE, N_("the machine may open no more files")},
    {ANY, ANY, FAILED, ENOBUFS, N_("the kernel has no buffer left")},
    {ANY, ANY, FAILED, EAFNOSUPPORT,
     N_("this machine does not have that address family")},
    {ANY, ANY, FAILED, ANY, N_("it failed")},
    {ANY, ANY, WAITING, ANY, N_("has not returned")},
};

struct advice {
    int id, proto, error;
    const char *text;
};

static const struct advice advices[] = {
    {CALL_BIND, ANY, EADDRINUSE,
     N_("use another port (0 picks a free one), or end the program that has "
        "it")},
    {CALL_BIND, ANY, EACCES, N_("use a port from 1024 up")},
    {CALL_BIND, ANY, EADDRNOTAVAIL,
     N_("use an address of this machine: 'ip address' lists them")},
    {CALL_BIND, ANY, ENODEV,
     N_("name the link of a link-local address: fe80::1%lo")},
    {ANY, ANY, EINVAL, N_("name the link of a link-local address: fe80::1%lo")},
    {CALL_CONNECT, TCP, ECONNREFUSED,
     N_("is the server running, on this address and port? 'ss -ltn' lists "
        "listeners")},
    {ANY, UDP, ECONNREFUSED,
     N_("is the server running, on this address and port? 'ss -lun' lists UDP "
        "sockets")},
    {CALL_CONNECT, ANY, EADDRNOTAVAIL,
     N_("if this is IPv6, it may be switched off here: use -4")},
    {CALL_CONNECT, ANY, ETIMEDOUT,
     N_("is the host up, and does no firewall drop the SYN?")},
    {ANY, ANY, ENETUNREACH,
     N_("check the address and the network: 'ip route'")},
    {ANY, ANY, EHOSTUNREACH,
     N_("check the address and the network: 'ip route'")},
    {ANY, ANY, EAFNOSUPPORT, N_("IPv6 is switched off here; use -4")},
    {ANY, UDP, EMSGSIZE, N_("send less in one datagram, or use TCP")},
    {ANY, ANY, EMFILE,
     N_("raise the limit ('ulimit -n'), or allow fewer clients")},
    {CALL_SENDTO, UDP, EACCES, N_("--broadcast allows it")},
    {CALL_SEND, UDP, EACCES, N_("--broadcast allows it")},
    {CALL_CONNECT, UDP, EACCES, N_("--broadcast allows it")},
    {CALL_SETSOCKOPT, TCP, ENOENT,
     N_("net.ipv4.tcp_available_congestion_control lists what there is")},
};

static enum when when_of(const struct call *c)
{
    if (!c->returned)
        return WAITING;
    if (c->result < 0)
        return FAILED;
    bool counts = call_waits(c) && c->id != CALL_POLL && c->id != CALL_ACCEPT &&
                  c->id != CALL_CONNECT;
    return counts && c->result == 0 && c->size > 0 ? EMPTY : DONE;
}

static int detail_of(const struct call *c)
{
    if (c->returned && c->result < 0)
        return c->error;
    if (c->id == CALL_SETSOCKOPT || c->id == CALL_GETSOCKOPT)
        return c->arg[0] << 16 | c->arg[1];
    return c->arg[0]; /* shutdown: how; fcntl: command */
}

static bool fits(int wanted, int found)
{
    return wanted == ANY || wanted == found;
}

const char *call_explain(const struct call *c)
{
    enum when when = when_of(c);
    int detail = detail_of(c);
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        const struct meaning *m = &meanings[i];
        if (fits(m->id, (int)c->id) && fits(m->proto, c->proto) &&
            m->when == when && fits(m->detail, detail))
            return m->text;
    }
    return "";
}

/* The kernel says EINVAL where an address alone does not tell which link. */
static bool lacks_link(const struct call *c)
{
    const struct in6_addr *a = &c->addr.in6.sin6_addr;
    return c->addr.len != 0 && c->addr.sa.sa_family == AF_INET6 &&
           (IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a));
}

const char *call_advice(const struct call *c)
{
    if (!c->returned || c->result >= 0)
        return NULL;
    if (c->error == EINVAL && !lacks_link(c))
        return NULL;
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        const struct advice *a = &advices[i];
        if (fits(a->id, (int)c->id) && fits(a->proto, c->proto) &&
            a->error == c->error)
            return a->text;
    }
    return NULL;
}
