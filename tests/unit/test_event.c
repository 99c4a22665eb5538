/* SPDX-License-Identifier: MIT
 *
 * The order of the lab's events, their copies, and the heap of held frames.
 */
#include "event.h"
#include "held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Notes what a sink is given, as text. */
struct log {
    char text[256];
};

static void log_event(const struct event *e, void *context)
{
    struct log *log = context;
    size_t used = strlen(log->text);
    snprintf(log->text + used, sizeof log->text - used, "%llu%s ",
             (unsigned long long)e->t_ns, e->remark);
}

static void push(struct event_queue *q, uint64_t t_ns, const char *text)
{
    struct event e = {.kind = EVENT_REMARK, .t_ns = t_ns};
    e.remark = text;
    assert_int_equal(event_queue_push(q, &e), 0);
}

static void orders_by_time(void **state)
{
    (void)state;
    struct log log = {""};
    struct event_queue *q = event_queue_new(10, log_event, &log);
    push(q, 5, "a");
    push(q, 3, "b");
    push(q, 5, "c"); /* the same time: as they came */
    push(q, 4, "d");
    event_queue_flush(q, 13); /* 13 - 10: what is 3 or older */
    assert_string_equal(log.text, "3b ");
    event_queue_flush(q, UINT64_MAX);
    assert_string_equal(log.text, "3b 4d 5a 5c ");
    event_queue_free(q);
}

static void holds_back(void **state)
{
    (void)state;
    struct log log = {""};
    struct event_queue *q = event_queue_new(20, log_event, &log);
    push(q, 0, "a");
    event_queue_flush(q, 19); /* before the hold could have passed */
    assert_string_equal(log.text, "");
    event_queue_flush(q, 20);
    assert_string_equal(log.text, "0a ");
    push(q, 1, "left"); /* freed with the queue */
    event_queue_free(q);
    event_queue_free(NULL);
}

static void copies_a_frame(void **state)
{
    (void)state;
    uint8_t bytes[60];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    struct event e = {.kind = EVENT_SENT};
    e.frame.bytes = bytes;
    e.frame.len = sizeof bytes;
    e.frame.frame.transport = bytes + 34;
    e.frame.frame.payload = NULL;
    struct event *copy = event_copy(&e);
    assert_non_null(copy);
    memset(bytes, 0xff, sizeof bytes);
    assert_true(copy->frame.bytes != bytes);
    assert_int_equal(copy->frame.bytes[59], 59);
    assert_int_equal(*copy->frame.frame.transport, 34);
    assert_null(copy->frame.frame.payload);
    event_discard(copy);
    event_discard(NULL);
}

static void copies_text_and_data(void **state)
{
    (void)state;
    char text[] = "one", data[] = "two";
    struct event e = {.kind = EVENT_OUTPUT};
    e.output.text = text;
    struct event *output = event_copy(&e);
    e = (struct event){.kind = EVENT_CALL};
    e.call.data = data;
    e.call.data_len = 3;
    struct event *call = event_copy(&e);
    assert_non_null(output);
    assert_non_null(call);
    text[0] = data[0] = '?';
    assert_string_equal(output->output.text, "one");
    assert_memory_equal(call->call.data, "two", 3);
    event_discard(output);
    event_discard(call);
}

static void names_states(void **state)
{
    (void)state;
    assert_string_equal(tcp_state_name(TCP_STATE_NONE), "(closed)");
    assert_string_equal(tcp_state_name(TCP_STATE_SYN_RCVD), "SYN_RCVD");
    assert_string_equal(tcp_state_name(TCP_STATE_CLOSED), "CLOSED");
    assert_string_equal(tcp_state_name((enum tcp_state)99), "?");
    assert_string_equal(host_name(HOST_CLIENT), "client");
    assert_string_equal(host_name(HOST_SERVER), "server");
}

static void hold(struct held *h, uint64_t due_ns, uint8_t name)
{
    assert_non_null(held_push(h, &name, 1, due_ns));
}

/* Takes all frames out; their names, in the order in which they are due. */
static void take_all(struct held *h, char *names)
{
    while (h->count > 0) {
        struct held_frame *f = held_pop(h);
        *names++ = (char)f->bytes[0];
        free(f);
    }
    *names = '\0';
}

static void holds_frames_by_due_time(void **state)
{
    (void)state;
    char names[16];
    struct held h = {0};
    assert_true(held_due(&h) == UINT64_MAX);
    hold(&h, 30, 'c');
    hold(&h, 10, 'a');
    hold(&h, 20, 'b');
    hold(&h, 10, 'A'); /* the same time: behind the first */
    hold(&h, 40, 'd');
    assert_true(held_due(&h) == 10);
    assert_int_equal(h.bytes, 5);
    take_all(&h, names);
    assert_string_equal(names, "aAbcd");
    assert_int_equal(h.bytes, 0);
    held_clear(&h);
}

static void moves_a_held_frame(void **state)
{
    (void)state;
    char names[16];
    struct held h = {0};
    uint8_t name = 'x';
    struct held_frame *x = held_push(&h, &name, 1, 1000);
    hold(&h, 10, 'a');
    hold(&h, 20, 'b');
    held_move(&h, x, 15);
    hold(&h, 12, 'c');
    held_move(&h, x, 16);
    take_all(&h, names);
    assert_string_equal(names, "acxb");
    held_clear(&h);
}

static void holds_many_frames_in_order(void **state)
{
    (void)state;
    struct held h = {0};
    uint32_t random = 1;
    for (int i = 0; i < 2000; i++) {
        random = random * 1664525u + 1013904223u;
        hold(&h, random >> 20, 0);
    }
    uint64_t last_due = 0, last_order = 0;
    while (h.count > 0) {
        struct held_frame *f = held_pop(&h);
        assert_true(f->due_ns > last_due || last_order == 0 ||
                    (f->due_ns == last_due && f->order > last_order));
        last_due = f->due_ns;
        last_order = f->order;
        free(f);
    }
    hold(&h, 1, 0); /* freed with the heap */
    held_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_by_time),
        cmocka_unit_test(holds_back),
        cmocka_unit_test(copies_a_frame),
        cmocka_unit_test(copies_text_and_data),
        cmocka_unit_test(names_states),
        cmocka_unit_test(holds_frames_by_due_time),
        cmocka_unit_test(moves_a_held_frame),
        cmocka_unit_test(holds_many_frames_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
