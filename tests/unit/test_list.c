/* SPDX-License-Identifier: MIT
 *
 * test_list: rows as sentences: --list must say all that a row shows, and
 * whose it is.
 * Read next: test_step.c.
 */
#include "list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char said[2048];

static void note(const char *line, void *context)
{
    size_t used = strlen(said);
    (void)context;
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

static const char *list(const struct row *row, bool explain)
{
    struct list l = {.explain = explain, .line = note};
    said[0] = '\0';
    list_row(row, &l);
    return said;
}

static void set_time(struct row *row, enum host_id host, uint64_t us)
{
    row->cell[host].timed = true;
    row->cell[host].t_ns = us * 1000;
}

static void set_state(struct row *row, enum host_id host, enum tcp_state state)
{
    row->cell[host].has_state = true;
    row->cell[host].state = state;
}

static struct row syn(enum row_wire wire)
{
    struct row row = {.wire = wire};
    row.frame.from = HOST_CLIENT;
    row.frame.frame.kind = FRAME_TCP;
    row.frame.frame.flags = TCP_SYN;
    row.frame.isn_known[HOST_CLIENT] = true;
    set_time(&row, HOST_CLIENT, 100);
    return row;
}

static void test_frame(void **unused)
{
    struct row row = syn(WIRE_WHOLE);
    (void)unused;
    set_time(&row, HOST_SERVER, 20300);
    set_state(&row, HOST_CLIENT, TCP_STATE_SYN_SENT);
    set_state(&row, HOST_SERVER, TCP_STATE_SYN_RCVD);
    assert_string_equal(list(&row, false),
                        "0.1 ms, client: sends SYN seq=x\n"
                        "0.1 ms, client: the state is now SYN_SENT\n"
                        "20.3 ms, server: receives SYN seq=x\n"
                        "20.3 ms, server: the state is now SYN_RCVD\n");
}

static void test_lost(void **unused)
{
    struct row row = syn(WIRE_LOST);
    (void)unused;
    row.tag = 'B';
    snprintf(row.cell[HOST_SERVER].note, ROW_NOTE, "lost: rule 1");
    snprintf(row.cell[HOST_CLIENT].note, ROW_NOTE, "(again: timeout)");
    assert_string_equal(list(&row, false),
                        "0.1 ms, client in B: sends SYN seq=x; lost: rule 1\n"
                        "0.1 ms, client in B: (again: timeout)\n");
}

static void test_calls(void **unused)
{
    struct row row = {.wire = WIRE_NONE};
    struct row_cell *cell = &row.cell[HOST_SERVER];
    (void)unused;
    cell->has_call = true;
    cell->part = PART_BEGIN;
    cell->call = (struct call){
        .id = CALL_RECV, .fd = 4, .size = 100, .proto = IPPROTO_TCP};
    assert_string_equal(list(&row, false),
                        "server: calls recv(4, ..., 100, 0) and waits\n");
    cell->part = PART_RETURN;
    cell->call.returned = true;
    cell->call.result = 3;
    cell->call.data_len = 3;
    memcpy(cell->data, "a\x1b\n", 3);
    set_time(&row, HOST_SERVER, 5000);
    list(&row, true);
    assert_non_null(strstr(said, "5.0 ms, server: has waited: recv(4, "));
    assert_non_null(strstr(said, "= 3 ("));
    assert_null(strchr(said, '\x1b'));
}

static void test_words(void **unused)
{
    struct row row = {.kind = ROW_OUTPUT, .host = HOST_CLIENT};
    (void)unused;
    snprintf(row.text, sizeof row.text, "! cannot");
    assert_string_equal(list(&row, false), "client: prints an error: cannot\n");
    row.kind = ROW_TITLE;
    snprintf(row.text, sizeof row.text, "close: the client first");
    assert_string_equal(list(&row, false), "close: the client first\n");
    row.kind = ROW_FOLD;
    row.count = 118;
    assert_string_equal(list(&row, false), "118 more like these\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
