/* SPDX-License-Identifier: MIT
 *
 * json: the lab's events as NDJSON, by docs/schema.json: for scripts on
 * stdout, and whole in a file, from which the run can be shown again.
 * Read next: event.h; common/out.h.
 */
#ifndef WIRELAB_JSON_H
#define WIRELAB_JSON_H

#include "err.h"
#include "event.h"
#include "lab.h"
#include "out.h"

struct json;

/* A stream to stdout. OUT must be in JSON mode and outlive it. NULL if memory
 * is short. */
struct json *json_stdout(struct out *out);

/* A stream to the file PATH, with the bytes of each frame and call. It is
 * there when json_end has succeeded, and not before (keep.h). NULL and *e. */
struct json *json_record(const char *path, struct err *e);

/* The first line: what was asked for. KERNEL: under which it happens; NULL:
 * this machine's. ARGC, ARGV: of main. */
void json_start(struct json *j, const struct lab_options *o, const char *kernel,
                int argc, char **argv);

/* An event_sink_fn whose context is the stream. One line an event; a call that
 * waits has one line, when it returns or when it is known that it will not. In
 * a recording one that need not wait, and does, has two. */
void json_event(const struct event *e, void *json);

/* The last line, and the end of the stream, which is freed. STATUS: with which
 * wirelab ends. 0, or -1 and *e. */
int json_end(struct json *j, const struct lab_result *r, int status,
             struct err *e);

/* Takes a recording back. NULL is allowed. */
void json_discard(struct json *j);

#endif
