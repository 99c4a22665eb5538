/* SPDX-License-Identifier: MIT
 *
 * replay: a capture as events, so that it is drawn as a live run is. A capture
 * knows one place and one clock: a frame leaves and lands in the same moment,
 * but for those that the wire's own comments (pcapng.h) call lost. States are
 * inferred, and there are no calls. The two captures of one run, though, have
 * both ends of each frame: they are put together again.
 * Read next: record.h, which plays a whole run again.
 */
#ifndef WIRELAB_REPLAY_H
#define WIRELAB_REPLAY_H

#include "err.h"
#include "lab.h"
#include "survey.h"

#include <stdint.h>

struct replay_options {
    const char *path; /* or NULL, and path_of: each host's own, of one clock */
    const char *path_of[HOST_COUNT];
    uint64_t delay_ns[HOST_COUNT]; /* then: about how long a frame of that host
                                      is on its way */
    const struct survey *survey;   /* of that file, or of the client's */
    const struct conversation *only; /* to be drawn alone; NULL: all, which
                                        must be of the same two hosts */
};

/* Gives the view all events, in the order of the file. *END_NS: the time of
 * the last. 0, or -1 and *e where the file breaks off. */
int replay_run(const struct replay_options *o, const struct lab_view *view,
               uint64_t *end_ns, struct err *e);

/* Looks how long the frames of each host are on their way, in the captures of
 * one run. 0, or -1 and *e if they cannot be read. */
int replay_delays(const char *const path_of[HOST_COUNT],
                  uint64_t delay_ns[HOST_COUNT], struct err *e);

#endif
