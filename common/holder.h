/* SPDX-License-Identifier: MIT
 *
 * holder: who has a port, for the advice under "Address already in use".
 * Linux tells it in /proc/net/tcp and /proc/PID/fd (proc(5)); elsewhere, and
 * for the programs of other users, it is not known.
 */
#ifndef WIRELAB_HOLDER_H
#define WIRELAB_HOLDER_H

#include "addr.h"

#include <stddef.h>

/* Fills BUF with words such as "tcp_server (process 4711) has this port: end
 * it, or use another port" or "an old connection to 127.0.0.1:51812 is in
 * TIME_WAIT ...", for a socket of TYPE (SOCK_STREAM, SOCK_DGRAM) at A. Returns
 * BUF, or NULL if nothing is known. */
const char *holder_find(const struct addr *a, int type, char *buf, size_t cap);

#endif
